import { Code } from '../../wasm/code.ts'
import type { LocalGroup } from '../../wasm/code.ts'
import { Op } from '../../wasm/opcodes.ts'
import type { Value } from '../emit.ts'
import { EXPLICIT_OP } from '../flags.ts'
import type { Instruction } from '../decode.ts'
import type { BasicBlock } from './blocks.ts'
import { FloatClass } from '../float/unit.ts'
import { WRONG_CLASS } from '../interpreter/interface.ts'
import { State } from '../state.ts'
import { constantsMoved, isRemainderOnly, reciprocalDivisions } from './division.ts'
import { structure } from './graph.ts'
import type { Structure } from './graph.ts'
import { group } from './groups.ts'
import type { Grouping } from './groups.ts'
import { Scout } from './scout.ts'
import type { VectorConstants } from './vector-constants.ts'
import { Local, REGION_PARAMETERS, stateTransfer } from './locals.ts'
import { FLAGS_UNKNOWN, RegionEmit } from './region-emit.ts'
import type { FlagState } from './region-emit.ts'

/** What a block wants to know of the flags it is entered with. */
const Need = { NOTHING: 0, CARRY: 1, ALL: 2 } as const
type Need = (typeof Need)[keyof typeof Need]

/** Code bytes that one region may span: its table of entries has two bytes for each. */
export const REGION_SPAN_MAX = 32768

export interface TranslatedEntry {
  address: number
  /** What the function is called with to start there. */
  index: number
  needsFlags: boolean
  /** What the table of entries says of it. */
  inTable: number
}
export interface TranslatedRegion {
  body: Code
  /** Whether its module imports the functions of MachineFunction. */
  asksMachine: boolean
  locals: readonly LocalGroup[]
  entries: readonly TranslatedEntry[]
}

/** In the table of entries: whoever goes there hands over CF. */
const TAKES_CARRY = 0x8000

/**
 * Where returns, indirect calls and jumps look up which entry an address is: u16 entry index (0: none, or one that asks for all flags) for
 * each byte from `from`, with TAKES_CARRY.
 */
export interface EntryTable {
  offset: number
  from: number
  bytes: number
}

/** Whether a region depends on MXCSR, so that it serves one FloatClass only. */
export const usesFloats = (blocks: readonly BasicBlock[]): boolean =>
  blocks.some(({ instructions }) => instructions.some(({ definition }) => definition.float === true))

/** Needs of each block, from its own instructions and, where it leaves the flags alone, from what follows. */
function flagNeeds(blocks: readonly BasicBlock[], successors: readonly (readonly number[])[]): Need[] {
  const own = blocks.map((block): { need: Need; passes: boolean } => {
    for (const { definition, slots, immediateLow, size } of block.instructions) {
      const constantCount = definition.constantCountNeedsNothing === true && slots[1].kind === 'imm'
      if (constantCount) {
        if ((immediateLow & (size === 8 ? 63 : 31)) !== 0) return { need: Need.NOTHING, passes: false }
        continue
      }
      if (definition.needs === 'flags') return { need: Need.ALL, passes: false }
      if (definition.needs === 'carry') return { need: Need.CARRY, passes: false }
      if (definition.setsFlags === true) return { need: Need.NOTHING, passes: false }
    }
    return { need: Need.NOTHING, passes: true }
  })
  const needs = own.map(({ need }) => need)
  for (let changed = true; changed;) {
    changed = false
    for (let index = blocks.length - 1; index >= 0; index--) {
      if (!own[index].passes) continue
      for (const successor of successors[index + 1]) {
        const need = needs[successor - 1]
        if (need > needs[index]) {
          needs[index] = need
          changed = true
        }
      }
    }
  }
  return needs
}

export interface TranslatorOptions {
  /** ModeBit flags. */
  mode: number
  floatClass: FloatClass
  /** Where to look up the targets of returns; undefined when the region spans too much code. */
  table: EntryTable | undefined
  constants?: VectorConstants
  /** What the general registers hold now, which is what loops keep in those that they do not change. */
  registers?: BigUint64Array
  /** False: without counting instructions, so that time stands still and a loop may never end. For measuring what counting costs. */
  counts?: boolean
}

/**
 * Translates basic blocks into the body of one Wasm function (entry: i32) → i32: structured control flow, registers in
 * locals, a dispatcher in front for entries, calls, returns and irreducible edges.
 */
export class Translator {
  private readonly code = new Code()
  private readonly emit: RegionEmit
  private readonly blocks: readonly BasicBlock[]
  private readonly nodeAt = new Map<number, number>()
  private readonly flow: Structure
  private readonly needs: readonly Need[]
  private readonly counts: boolean
  private readonly entryIndex = new Map<number, number>()
  private readonly checkFree: number[] = []
  private readonly labels: number[] = []
  private readonly loopLabels: number[] = []
  private readonly arriving: (FlagState | undefined)[] = []
  private readonly table: EntryTable | undefined
  private readonly scout: Scout
  private readonly moved: ReadonlyMap<number, readonly bigint[]>
  private readonly registers: BigUint64Array | undefined
  private root = 0
  private exit = 0
  private exitSlow = 0
  private node = 0
  private readonly floatClass: FloatClass

  constructor(blocks: readonly BasicBlock[], options: TranslatorOptions) {
    this.blocks = blocks
    this.floatClass = options.floatClass
    this.table = options.table
    this.counts = options.counts ?? true
    this.scout = new Scout(options.mode)
    this.moved = constantsMoved(blocks.flatMap(({ instructions }) => instructions))
    this.registers = options.registers
    blocks.forEach((block, index) => this.nodeAt.set(block.address, index + 1))
    const successors: number[][] = [[]]
    const pretended: number[][] = [[]]
    const entries = new Set<number>([1])
    const at = (address: number): number[] => {
      const node = this.nodeAt.get(address)
      return node === undefined ? [] : [node]
    }
    blocks.forEach((block) => {
      const { terminator } = block
      const next: number[] = []
      const shown: number[] = []
      if (terminator.kind === 'fall') next.push(...at(terminator.next))
      else if (terminator.kind === 'jump') next.push(...at(terminator.target))
      else if (terminator.kind === 'branch') next.push(...new Set([...at(terminator.target), ...at(terminator.next)]))
      else if (terminator.kind === 'call' || terminator.kind === 'call-indirect') {
        for (const node of at(terminator.next)) {
          shown.push(node)
          entries.add(node)
        }
        if (terminator.kind === 'call') for (const node of at(terminator.target)) entries.add(node)
      } else if (terminator.kind === 'interpret') {
        // Tier 0 goes on behind its instruction, where translated code should be met again.
        for (const node of this.following(terminator.at)) {
          shown.push(node)
          entries.add(node)
        }
      }
      if (block.isJumpTarget) entries.add(this.nodeAt.get(block.address) as number)
      successors.push(next)
      pretended.push(shown)
    })
    this.flow = structure({ successors, pretended, entries: [...entries] })
    this.flow.entries.forEach((node, index) => this.entryIndex.set(node, index + 1))
    this.needs = flagNeeds(blocks, successors)
    this.emit = new RegionEmit(this.code, {
      mode: options.mode,
      exact: options.floatClass === FloatClass.EXACT,
      constants: options.constants,
      counts: this.counts,
      sink: {
        jump: () => this.writeJump(),
        branch: (condition) => this.writeBranch(condition),
        call: () => this.writeCall(),
        indirect: (target) => this.writeIndirect(target),
      },
    })
    this.measureChecks(successors)
  }

  /** Blocks that start right behind the instruction at `address`, which tier 0 runs. */
  private following(address: number): number[] {
    let nearest: number | undefined
    for (const block of this.blocks)
      if (block.address > address && block.address <= address + 15 && (nearest === undefined || block.address < nearest))
        nearest = block.address
    return nearest === undefined ? [] : [this.nodeAt.get(nearest) as number]
  }

  /** For each entry, how many instructions may run until the next check of what is left. */
  private measureChecks(successors: readonly (readonly number[])[]): void {
    const { order } = this.flow
    const nodes = this.blocks.map((_, index) => index + 1).filter((node) => order[node] >= 0).sort((a, b) => order[b] - order[a])
    for (const node of nodes) {
      let longest = 0
      for (const successor of successors[node])
        if (!this.entryIndex.has(successor) && order[successor] > order[node]) longest = Math.max(longest, this.checkFree[successor] ?? 0)
      this.checkFree[node] = longest + this.blocks[node - 1].instructions.length
    }
  }

  translate(): TranslatedRegion {
    const { code, emit, flow } = this
    code.block()
    this.exit = code.depth
    code.block()
    this.exitSlow = code.depth
    emit.exit = this.exit
    emit.exitSlow = this.exitSlow
    code.loop()
    this.root = code.depth
    this.within(this.mergeChildren(0), () => {
      const { routes } = flow
      const labels = flow.entries.map((entry) => this.labels[routes[0].get(entry) as number])
      code.get(Local.ENTRY)
      code.i32Const(1)
      code.op(Op.i32_sub)
      code.brTable([...labels, labels[0]])
    })
    code.end()
    code.end()
    code.i32Const(1)
    code.set(Local.SLOW)
    code.end()
    const { load, store } = stateTransfer(emit)
    const body = new Code()
    if (usesFloats(this.blocks)) {
      body.i32Const(0)
      body.memory(Op.i32_load, State.FLOAT_CLASS)
      body.i32Const(this.floatClass)
      body.op(Op.i32_ne)
      body.if()
      body.i32Const(WRONG_CLASS)
      body.op(Op.return)
      body.end()
    }
    for (const part of [load, code, store]) body.append(part)
    body.get(Local.SLOW)
    const entries = flow.entries.map((node) => {
      const index = this.entryIndex.get(node) as number
      const need = this.needs[node - 1]
      const inTable = need === Need.NOTHING ? index : need === Need.CARRY ? index | TAKES_CARRY : 0
      return { address: this.blocks[node - 1].address, index, needsFlags: need !== Need.NOTHING, inTable }
    })
    return { body, asksMachine: emit.asksMachine, locals: emit.localsBehind(REGION_PARAMETERS), entries }
  }

  // ---- structure

  private mergeChildren(node: number): readonly number[] {
    return this.flow.children[node].filter((child) => this.flow.isMerge[child])
  }

  /** Blocks for the merge children around the node's own code, then each child's code behind its block. */
  private within(children: readonly number[], own: () => void): void {
    const { code } = this
    for (const child of children) {
      code.block()
      this.labels[child] = code.depth
    }
    own()
    for (let index = children.length - 1; index >= 0; index--) {
      code.end()
      this.tree(children[index])
    }
  }

  /** Writes a node and all it dominates; every path through it ends in a branch. */
  private tree(node: number): void {
    const { code, flow } = this
    if (!flow.isHeader[node]) {
      this.within(this.mergeChildren(node), () => this.block(node))
      return
    }
    code.loop()
    this.loopLabels[node] = code.depth
    this.within(this.mergeChildren(node), () => {
      this.routeWithin(node)
      this.block(node)
    })
    this.loopLabels[node] = 0
    code.end()
  }

  /** At a loop header on the way to an entry inside the loop: goes on there. */
  private routeWithin(node: number): void {
    const { code, flow } = this
    const routes = flow.routes[node]
    if (routes.size === 0) return
    code.get(Local.ENTRY)
    code.if()
    code.block()
    const here = code.depth
    code.get(Local.ENTRY)
    code.brTable([here, ...flow.entries.map((entry) => {
      const target = routes.get(entry)
      return target === undefined ? here : this.labels[target]
    }), here])
    code.end()
    code.end()
  }

  private block(node: number): void {
    const { code, emit } = this
    const block = this.blocks[node - 1]
    this.node = node
    emit.flagState = this.arrivalFlags(node)
    emit.startBlock()
    if (this.entryIndex.has(node)) {
      code.i32Const(0)
      code.set(Local.ENTRY)
      if (this.counts) this.checkCount(node)
    }
    const { instructions, terminator } = block
    if (this.counts && instructions.length > 0) {
      code.get(Local.LEFT)
      code.i32Const(instructions.length)
      code.op(Op.i32_sub)
      code.set(Local.LEFT)
    }
    this.writeInstructions(block)
    if (terminator.kind === 'fall') this.goTo(terminator.next)
    else if (terminator.kind === 'interpret') {
      code.i64Const(terminator.at)
      code.set(Local.RIP)
      code.br(this.exitSlow)
    }
  }

  /** Leaves when less is left than may run until the next check. */
  private checkCount(node: number): void {
    const { code } = this
    code.get(Local.LEFT)
    code.i32Const(this.checkFree[node])
    code.op(Op.i32_lt_s)
    code.if()
    code.i64Const(this.blocks[node - 1].address)
    code.set(Local.RIP)
    code.br(this.exitSlow)
    code.end()
  }

  /**
   * The instructions of a block: with one look at memory for each group of operands where there are any, and beside it, for when the groups
   * are not where that look would find them, with one for each operand. What ends the block is written once.
   */
  private writeInstructions(block: BasicBlock): void {
    const { address, instructions } = block
    const { code, emit } = this
    const grouping = group(instructions, address, () => this.scout.registersWritten(instructions, address))
    const last = instructions[instructions.length - 1]
    const ends = last?.definition.control !== undefined
    const count = ends ? instructions.length - 1 : instructions.length
    const divided = reciprocalDivisions(instructions, (register) => this.mayHold(register))
    const write = (from: number, to: number, found?: Grouping): void => {
      for (let index = from; index < to; index++)
        emit.write(instructions[index], addresses[index], instructions.length - index, {
          operand: found?.membership[index],
          stack: found?.stackMembership[index],
          division: divided.find((division) => division.from === index),
          isQuotient: divided.some((division) => division.to === index),
          isRemainderOnly: isRemainderOnly(instructions[index], () => this.nextOf(block, index)),
        })
    }
    const addresses: number[] = []
    let at = address
    for (const { length } of instructions) {
      addresses.push(at)
      at += length
    }
    if (grouping === undefined) write(0, count)
    else {
      const known = emit.known()
      code.block()
      const done = code.depth
      code.block()
      emit.openGroups(grouping.groups, code.depth)
      write(0, count, grouping)
      code.br(done)
      code.end()
      emit.goBackTo(known)
      write(0, count)
      code.end()
    }
    write(count, instructions.length)
  }

  /** The instruction that is sure to be run next, with no way out of the region before it; a jump is none. */
  private nextOf({ instructions, terminator }: BasicBlock, position: number): Instruction | undefined {
    const next = instructions[position + 1]
    if (next !== undefined && next.definition.control === undefined) return next
    const address = terminator.kind === 'fall' ? terminator.next : terminator.kind === 'jump' ? terminator.target : undefined
    const node = address === undefined ? undefined : this.nodeAt.get(address)
    if (node === undefined || this.entryIndex.has(node) || this.flow.isHeader[node]) return undefined
    return this.blocks[node - 1].instructions[0]
  }

  /** Constants that a register probably holds. */
  private mayHold(register: number): readonly bigint[] {
    const moved = this.moved.get(register) ?? []
    return this.registers === undefined ? moved : [...moved, this.registers[register]]
  }

  /** What is known of the flags at the start of a block: from its one predecessor, or by the agreement that its need makes. */
  private arrivalFlags(node: number): FlagState {
    const agreed = this.agreement(node)
    return agreed ?? this.arriving[node] ?? FLAGS_UNKNOWN
  }

  /** Blocks with several ways in agree with all of them on how the flags they need are handed over. */
  private agreement(node: number): FlagState | undefined {
    if (!this.flow.isMerge[node] && !this.flow.isHeader[node] && !this.entryIndex.has(node)) return undefined
    const need = this.needs[node - 1]
    if (need === Need.ALL) return { op: EXPLICIT_OP, carryKnown: false }
    return { op: undefined, carryKnown: need === Need.CARRY }
  }

  /** Hands the flags over as the target expects them; false when that can only be done by way of tier 0. */
  private handOver(target: number): boolean {
    const agreed = this.agreement(target)
    if (!agreed) {
      this.arriving[target] = this.emit.flagState
      return true
    }
    if (agreed.op !== undefined) return this.emit.makeExplicit()
    return agreed.carryKnown ? this.emit.makeCarry() : true
  }

  // ---- leaving a block

  private leaveTo(address: number): void {
    const { code } = this
    code.i64Const(address)
    code.set(Local.RIP)
    code.br(this.exit)
  }

  /** Goes to a linear address: a node of the region by a branch, in line or through the dispatcher, else out. */
  private goTo(address: number): void {
    const { code, flow } = this
    const from = this.node
    const target = this.nodeAt.get(address)
    if (target === undefined || !this.handOver(target)) {
      this.leaveTo(address)
      return
    }
    if (flow.isDispatched(from, target)) this.dispatch(target)
    else if (flow.order[target] <= flow.order[from]) code.br(this.loopLabels[target])
    else if (flow.isMerge[target]) code.br(this.labels[target])
    else this.tree(target)
  }

  private dispatch(node: number): void {
    const { code } = this
    code.i32Const(this.entryIndex.get(node) as number)
    code.set(Local.ENTRY)
    code.br(this.root)
  }

  private writeJump(): void {
    const { terminator } = this.blocks[this.node - 1]
    if (terminator.kind === 'jump') this.goTo(terminator.target)
  }

  private writeBranch(condition: Value): void {
    const { code, emit, node } = this
    const { terminator } = this.blocks[node - 1]
    if (terminator.kind !== 'branch') return
    const flags = emit.flagState
    emit.push(condition)
    code.if()
    this.goTo(terminator.target)
    code.end()
    this.node = node
    emit.flagState = flags
    this.goTo(terminator.next)
    this.node = node
  }

  private writeCall(): void {
    const { terminator } = this.blocks[this.node - 1]
    if (terminator.kind !== 'call') return
    const target = this.nodeAt.get(terminator.target)
    if (target === undefined || !this.handOver(target)) this.leaveTo(terminator.target)
    else this.dispatch(target)
  }

  /** Returns and indirect calls and jumps: to an entry of this region if the target is one, else out. */
  private writeIndirect(target: Value): void {
    const { code, emit, table } = this
    emit.push(target)
    code.set(Local.RIP)
    if (table) {
      code.get(Local.RIP)
      code.i64Const(table.from)
      code.op(Op.i64_sub)
      code.set(Local.OFFSET)
      code.get(Local.OFFSET)
      code.i64Const(table.bytes)
      code.op(Op.i64_lt_u)
      code.if()
      code.get(Local.OFFSET)
      code.op(Op.i32_wrap_i64)
      code.i32Const(1)
      code.op(Op.i32_shl)
      // What returns goes where the caller went on, which hardly ever cares for a flag of the function's.
      if (this.blocks[this.node - 1].terminator.kind !== 'return' && emit.makeCarry()) {
        code.memory(Op.i32_load16_u, table.offset)
        code.i32Const(TAKES_CARRY - 1)
        code.op(Op.i32_and)
        code.tee(Local.ENTRY)
      } else {
        code.memory(Op.i32_load16_s, table.offset)
        code.tee(Local.ENTRY)
        code.i32Const(0)
        code.op(Op.i32_gt_s)
      }
      code.brIf(this.root)
      code.end()
    }
    code.br(this.exit)
  }
}
