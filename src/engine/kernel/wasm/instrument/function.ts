import { ByteReader, WasmFormatError } from '../binary/bytes.ts'
import type { ByteWriter } from '../binary/bytes.ts'
import { isStorable, typeOfFunction } from '../binary/module.ts'
import type { FunctionType } from '../binary/module.ts'
import { Misc, Op, ValueType } from '../binary/opcodes.ts'
import { blockType, bulkShift, decode, isTerminal, newDecoded, skipDead } from './decode.ts'
import type { Body } from './decode.ts'
import { Emitter, padded } from './emitter.ts'
import { frameBytes } from './frame.ts'
import type { Layout } from './layout.ts'
import { ENTRY_PLACE } from './outline.ts'
import type { Outline, Region } from './outline.ts'
import { Suspension } from './suspension.ts'
import type { OwnVariables } from './suspension.ts'

interface Label {
  /** `plain`: stays as it was written. `divided`: contains a stop; has no parameters and results of its own. */
  kind: 'function' | 'plain' | 'divided'
  /** Labels open in the output when this one was, itself included. */
  index: number
  isLoop: boolean
  params: readonly number[]
  results: readonly number[]
  /** Values on the stack below its parameters. */
  base: number
  region: Region
}

const TYPES = 256

/**
 * Rewrites one function so that it burns fuel and can be suspended and resumed.
 *
 * At each stop (outline.ts) the operand stack is moved into variables, its *slots*: one for each position and type. So a stop is
 * a point where all that the function holds is in variables, and code can be entered there by a branch. A sequence with stops
 * becomes
 *
 *     block block block         one for each stop, the first innermost
 *       br_table                when resuming: to the stop that contains the place; else straight on
 *       instructions            operands to slots
 *     end  stop 1  instructions …
 *     end  stop 2  instructions …
 *     end  stop 3  instructions …
 *
 * In functions and loops the br_table stands behind the check of the fuel, which fails when resuming because the fuel is negative
 * then: so where nobody resumes it costs nothing. Blocks that contain a stop lose their parameters and results, which go through
 * slots as well. All other code stays as it is.
 *
 * To suspend, the place goes into a variable, all variables are saved, and the function returns zeros; its caller sees the state
 * and does the same. To resume, the function is called again, restores its variables and branches to its place.
 */
export class FunctionRewriter {
  private readonly layout: Layout
  private readonly index: number
  private readonly type: FunctionType
  private readonly parameters: number
  private readonly outline: Outline
  private readonly suspendable: (index: number) => boolean
  private readonly reader: ByteReader
  private readonly decoded = newDecoded()
  private readonly code: Emitter
  private readonly suspension: Suspension
  private readonly own: OwnVariables
  /** Types of all variables: the function's, ours, slots. */
  private readonly variables: number[]
  private readonly slots = new Map<number, number>()
  /** Types of the values on the operand stack. */
  private stack: number[] = []
  private readonly labels: Label[] = []
  private nextRegion = 1
  private place: number
  /** Where the size of the frame has to be filled in: only in the end it is known. */
  private readonly frameSizes: number[] = []

  constructor(layout: Layout, index: number, body: Body, outlined: Outline, suspendable: (index: number) => boolean) {
    const { suspends, regions } = outlined
    this.layout = layout
    this.index = index
    this.type = typeOfFunction(layout.module, index)
    this.parameters = this.type.params.length
    this.outline = outlined
    this.suspendable = suspendable
    this.reader = new ByteReader(body.bytes, body.codeStart)
    const first = body.locals.length
    this.own = { place: first, scratch: first + 1, fuel: first + 2 }
    this.suspension = new Suspension(layout, this.own)
    this.variables = [...body.locals, ValueType.I32, ValueType.I32, ValueType.I64]
    this.place = suspends ? ENTRY_PLACE : 0
    // What is written first is the code behind the entry, with the label of `save` and those of the stops open around it.
    this.code = new Emitter(suspends ? 1 + regions[0].arms[0].length : 0)
    const kind = suspends ? 'function' : 'plain'
    this.labels.push({ kind, index: 0, isLoop: false, params: [], results: this.type.results, base: 0, region: regions[0] })
    if (suspends && !body.locals.every(isStorable)) this.refuseReferences()
  }

  /** The function's new body: declarations of variables and code. */
  rewrite(): ByteWriter {
    while (this.labels.length > 0) this.rewriteInstruction()
    const root = this.outline.regions[0]
    const whole = new Emitter(0)
    this.declareVariables(whole.out)
    if (this.outline.suspends) {
      const own = [this.own.place, this.own.scratch, this.own.fuel]
      const saved = this.variables.map((_, variable) => variable).filter((variable) => !own.includes(variable))
      const bytes = padded(frameBytes(this.variables, this.type))
      for (const at of this.frameSizes) this.code.out.patch(at, bytes)
      whole.blocks(1 + root.arms[0].length)
      this.suspension.entry(whole, root.cost, root.arms[0], saved, this.variables)
      this.suspension.enter(whole, this.variables, this.type)
      whole.raw(this.code.out.bytes).op(Op.END)
      this.suspension.save(whole, this.index, saved, this.variables, this.type.results)
    } else {
      this.suspension.burn(whole, root.cost)
      whole.raw(this.code.out.bytes)
    }
    return whole.op(Op.END).out
  }

  private refuseReferences(): never {
    const name = this.layout.module.names.get(this.index) ?? `${this.index}`
    throw new WasmFormatError(`function ${name} keeps references in variables, which is not accepted`)
  }

  private declareVariables(out: ByteWriter): void {
    const groups: { count: number; type: number }[] = []
    for (const type of this.variables.slice(this.parameters)) {
      const last = groups.at(-1)
      if (last?.type === type) last.count++
      else groups.push({ count: 1, type })
    }
    out.u32(groups.length)
    for (const { count, type } of groups) out.u32(count).u8(type)
  }

  // ---- slots and stops

  private slot(position: number, type: number): number {
    const key = position * TYPES + type
    let slot = this.slots.get(key)
    if (slot === undefined) {
      if (!isStorable(type)) this.refuseReferences()
      slot = this.variables.push(type) - 1
      this.slots.set(key, slot)
    }
    return slot
  }

  /** Moves the values from that position of the operand stack upwards into their slots. */
  private toSlots(from: number): void {
    for (let at = this.stack.length - 1; at >= from; at--) this.code.set(this.slot(at, this.stack[at]))
  }
  private fromSlots(from: number, to = this.stack.length): void {
    for (let at = from; at < to; at++) this.code.get(this.slot(at, this.stack[at]))
  }

  /** Values on the stack below the sequence being written: those are in slots already. */
  private get sequenceBase(): number {
    const label = this.labels.findLast(({ kind }) => kind !== 'plain')
    return label === undefined ? 0 : label.base
  }

  private beginStop(): void {
    this.toSlots(this.sequenceBase)
    this.code.end()
  }
  private endStop(): void {
    this.fromSlots(this.sequenceBase)
  }

  // ---- instructions

  private rewriteInstruction(): void {
    const { reader, decoded, stack } = this
    decode(reader, decoded)
    const { opcode, extended, instruction, start, immediate } = decoded
    const shift = bulkShift(opcode, extended)
    if (shift !== null) this.bulk(shift)
    else if (opcode === Op.MEMORY_GROW) this.code.call(this.layout.grow)
    else if (instruction.pops !== null && instruction.pushes !== null) {
      this.copy()
      stack.length -= instruction.pops.length
      stack.push(...instruction.pushes)
    } else {
      this.rewriteSpecial(opcode, new ByteReader(reader.bytes, immediate))
      // `decoded` may be another instruction by now.
      if (isTerminal(opcode)) {
        skipDead(reader, decoded)
        this.isDead = true
      }
    }
    if (start === reader.at) throw new Error('the rewriter makes no progress')
  }

  /** Behind an unconditional branch, at the `else` or `end` of its level. */
  private isDead = false

  /** The instruction as it was written. */
  private copy(): void {
    this.code.raw(this.reader.bytes.subarray(this.decoded.start, this.reader.at))
  }

  private rewriteSpecial(opcode: number, immediate: ByteReader): void {
    const { stack, code, layout } = this
    const { module } = layout
    switch (opcode) {
      case Op.BLOCK:
      case Op.LOOP:
      case Op.IF:
        this.open(opcode, immediate)
        break
      case Op.ELSE:
        this.else()
        break
      case Op.END:
        this.close()
        break
      case Op.BR:
        this.jump(this.target(immediate.u32()))
        break
      case Op.BR_IF:
        this.branchIf(this.target(immediate.u32()))
        break
      case Op.BR_TABLE:
        this.branchTable(Array.from({ length: immediate.u32() + 1 }, () => this.target(immediate.u32())))
        break
      case Op.RETURN:
        this.jump(this.labels[0])
        break
      case Op.CALL:
        this.call(immediate.u32())
        break
      case Op.CALL_INDIRECT:
        this.callIndirect(immediate.u32(), immediate.u32())
        break
      case Op.UNREACHABLE:
        this.copy()
        break
      case Op.DROP:
        this.copy()
        stack.length--
        break
      case Op.SELECT:
      case Op.SELECT_TYPED:
        this.copy()
        stack.length -= 2
        break
      case Op.LOCAL_GET:
        this.copy()
        stack.push(this.variables[immediate.u32()])
        break
      case Op.LOCAL_TEE:
        this.copy()
        break
      case Op.LOCAL_SET:
      case Op.GLOBAL_SET:
        this.copy()
        stack.length--
        break
      case Op.GLOBAL_GET:
        this.copy()
        stack.push(module.globals[immediate.u32()].type)
        break
      case Op.TABLE_GET:
        this.copy()
        stack[stack.length - 1] = module.tables[immediate.u32()].type
        break
      case Op.TABLE_SET:
        this.copy()
        stack.length -= 2
        break
      case Op.REF_NULL:
        this.copy()
        stack.push(immediate.u8())
        break
      case Op.REF_IS_NULL:
        this.copy()
        stack[stack.length - 1] = ValueType.I32
        break
      case Op.REF_FUNC:
        code.op(Op.REF_FUNC).out.u32(layout.renumber(immediate.u32()))
        stack.push(ValueType.FUNCREF)
        break
      default:
        throw new Error(`instruction 0x${opcode.toString(16)} is in the table and has no rewriting`)
    }
  }

  private open(opcode: number, immediate: ByteReader): void {
    const { code, stack, own } = this
    const type = blockType(this.layout.module, immediate)
    const region = this.outline.regions[this.nextRegion++]
    const isDivided = region.lastPlace >= region.firstPlace
    const base = stack.length - type.params.length - (opcode === Op.IF ? 1 : 0)
    const isLoop = opcode === Op.LOOP
    if (!isDivided) {
      this.copy()
      code.depth++
      if (opcode === Op.IF) stack.length--
      this.labels.push({ kind: 'plain', index: code.depth, isLoop, ...type, base, region })
      return
    }
    this.beginStop()
    if (opcode === Op.IF) {
      stack.length--
      // Resuming, the arm that contains the place; else what the condition says.
      code.get(own.place).i32(region.firstPlace).op(Op.I32_SUB).i32(region.thenLastPlace - region.firstPlace + 1).op(Op.I32_LT_U)
      code.get(this.slot(stack.length, ValueType.I32)).get(own.place).op(Op.SELECT).if()
    } else if (isLoop) code.loop()
    else code.blocks(1)
    this.labels.push({ kind: 'divided', index: code.depth, isLoop, ...type, base, region })
    const [stops] = region.arms
    code.blocks(stops.length)
    if (isLoop) this.suspension.loopHead(code, region.cost, ++this.place, stops)
    else this.enterArm(stops, region.firstPlace)
    this.fromSlots(base)
  }

  private enterArm(stops: readonly number[], firstPlace: number): void {
    if (stops.length === 0) return
    this.code.blocks(1)
    this.suspension.dispatch(this.code, stops, firstPlace, 1)
    this.code.end()
  }

  /** At the end of an arm: values that a divided block leaves go into their slots. */
  private finishArm(label: Label): void {
    if (label.kind === 'divided' && !this.isDead) this.toSlots(label.base)
    this.isDead = false
    this.stack.length = label.base
  }

  private else(): void {
    const label = this.labels[this.labels.length - 1]
    this.finishArm(label)
    this.code.op(Op.ELSE)
    this.stack.push(...label.params)
    if (label.kind === 'plain') return
    const stops = label.region.arms[1]
    this.code.blocks(stops.length)
    this.enterArm(stops, label.region.thenLastPlace + 1)
    this.fromSlots(label.base)
  }

  private close(): void {
    const { code, stack, labels } = this
    const label = labels[labels.length - 1]
    if (labels.length === 1) {
      if (label.kind === 'function' && !this.isDead) this.leave()
      labels.pop()
      return
    }
    this.finishArm(label)
    code.end()
    labels.pop()
    stack.push(...label.results)
    if (label.kind === 'divided') this.endStop()
  }

  // ---- calls

  private call(index: number): void {
    const { params, results } = typeOfFunction(this.layout.module, index)
    const target = this.layout.renumber(index)
    const { code, stack } = this
    const base = stack.length - params.length
    if (!this.suspendable(index)) {
      code.call(target)
      stack.length = base
      stack.push(...results)
      return
    }
    this.beginStop()
    this.fromSlots(base)
    code.call(target)
    this.takeResults(base, results)
    this.suspension.checkCall(code, ++this.place)
    this.endStop()
  }

  /** Results of a call, which are on the machine's stack, into the slots that they have from now on. */
  private takeResults(base: number, results: readonly number[]): void {
    this.stack.length = base
    this.stack.push(...results)
    this.toSlots(base)
  }

  /** The table may have changed since the call was suspended: who is resumed says its own frame. */
  private callIndirect(typeIndex: number, table: number): void {
    const { code, stack, layout, own } = this
    const { params, results } = layout.module.types[typeIndex]
    this.beginStop()
    const selector = this.slot(stack.length - 1, ValueType.I32)
    stack.length--
    const base = stack.length - params.length
    const before = [...stack]
    const invoke = (fromTable: number): void => {
      code.op(Op.CALL_INDIRECT).out.u32(typeIndex).u32(fromTable)
      this.takeResults(base, results)
    }
    code.get(own.place).if()
    this.fromSlots(base)
    code.call(layout.peek)
    invoke(layout.ownTable)
    code.op(Op.ELSE)
    this.stack.splice(0, Infinity, ...before)
    this.fromSlots(base)
    code.get(selector)
    invoke(table)
    code.end()
    this.suspension.checkCall(code, ++this.place)
    this.endStop()
  }

  /** An instruction whose work grows with the number on top of the stack. */
  private bulk(shift: number): void {
    const { code, stack, layout, own, decoded } = this
    const { opcode, extended } = decoded
    code.tee(own.scratch)
    this.copy()
    const isGrow = opcode === Op.MISC && extended === Misc.TABLE_GROW
    stack.length -= isGrow ? 2 : 3
    if (isGrow) stack.push(ValueType.I32)
    code.getGlobal(layout.fuel).get(own.scratch).op(Op.I64_EXTEND_I32_U).i64(shift).op(Op.I64_SHR_U, Op.I64_SUB).setGlobal(layout.fuel)
    this.beginStop()
    this.suspension.check(code, ++this.place)
    this.endStop()
  }

  // ---- branches

  private target(relative: number): Label {
    return this.labels[this.labels.length - 1 - relative]
  }

  private static values(label: Label): readonly number[] {
    return label.isLoop ? label.params : label.results
  }

  /** The results are on the operand stack. The frame may still grow. */
  private leave(): void {
    this.frameSizes.push(this.suspension.leave(this.code, this.variables, this.type))
  }

  private jump(label: Label): void {
    const { code } = this
    if (label.kind === 'function') {
      this.leave()
      return
    }
    if (label.kind === 'divided') {
      const values = FunctionRewriter.values(label)
      for (let at = values.length - 1; at >= 0; at--) code.set(this.slot(label.base + at, values[at]))
    }
    code.branch(Op.BR, label.index)
  }

  /** A branch whose values were put into the slots of their positions, from `from` on. */
  private jumpFromSlots(label: Label, from: number): void {
    const { code } = this
    const values = FunctionRewriter.values(label)
    if (label.kind === 'divided') {
      // Downwards or not at all, so that in this order none is overwritten before it is read.
      values.forEach((type, at) => {
        if (from !== label.base) code.get(this.slot(from + at, type)).set(this.slot(label.base + at, type))
      })
      code.branch(Op.BR, label.index)
      return
    }
    values.forEach((type, at) => code.get(this.slot(from + at, type)))
    this.jump(label)
  }

  private branchIf(label: Label): void {
    const { code, stack, own } = this
    stack.length--
    const count = FunctionRewriter.values(label).length
    if (label.kind === 'plain' || (label.kind === 'divided' && count === 0)) {
      code.branch(Op.BR_IF, label.index)
      return
    }
    if (count === 0) {
      code.if()
      this.jump(label)
      code.end()
      return
    }
    const from = stack.length - count
    code.set(own.scratch)
    this.toSlots(from)
    code.get(own.scratch).if()
    this.jumpFromSlots(label, from)
    code.end()
    this.fromSlots(from)
  }

  private branchTable(targets: readonly Label[]): void {
    const { code, stack, own } = this
    stack.length--
    const count = FunctionRewriter.values(targets[0]).length
    if (targets.every(({ kind }) => kind === 'plain' || (kind === 'divided' && count === 0))) {
      code.op(Op.BR_TABLE).out.u32(targets.length - 1)
      for (const { index } of targets) code.out.u32(code.depth - index)
      return
    }
    const from = stack.length - count
    code.set(own.scratch)
    this.toSlots(from)
    const landings = [...new Set(targets)]
    code.blocks(landings.length).get(own.scratch).op(Op.BR_TABLE)
    code.out.u32(targets.length - 1)
    for (const target of targets) code.out.u32(landings.indexOf(target))
    for (const label of landings) {
      code.end()
      this.jumpFromSlots(label, from)
    }
  }
}
