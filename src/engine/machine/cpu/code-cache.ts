import type { PhysicalMemory } from '../memory.ts'
import { PAGE_BYTES, PAGE_SHIFT } from '../memory.ts'
import { INCOMPLETE, INSTRUCTION_BYTES_MAX, UNDEFINED, allVariants, blankInstruction, decode } from './decode.ts'
import type { Instruction } from './decode.ts'
import { END_HANDLER } from './interpreter/interface.ts'
import { BLOCK_HEADER_BYTES, RECORD_BYTES, writeEnd, writeRecord } from './record.ts'
import { MODES, RECORDS, RECORDS_END } from './state.ts'

/** Instructions of one block at most. */
const BLOCK_INSTRUCTIONS_MAX = 64
/** A block that may not be cached (its bytes are a device's) is written here anew each time. */
const SCRATCH_BLOCK = RECORDS
const SCRATCH_BYTES = BLOCK_HEADER_BYTES + 2 * RECORD_BYTES

/** A straight run of decoded instructions within one physical page, or the one instruction that goes on in another. */
export interface Block {
  /** What it is found by. */
  key: number
  /** Guest-physical address of its first byte. */
  physical: number
  mode: number
  /** Bytes of code it covers in the page where it begins. */
  bytes: number
  /** Where it goes on, a page's guest-physical address, and how many bytes it has there: 0 when it does not. */
  rest: number
  restBytes: number
  /** Offset of its first record in the machine's memory. */
  record: number
  /** Instructions. */
  count: number
}

/** Mode and physical address in one number: what a block is found by. */
export const codeKey = (physical: number, mode: number): number => physical * MODES + mode

/** The same for an instruction that goes on in the page at `rest`: apart from all of codeKey's. Fits a double: 24 + 8 + 20 bits. */
const crossingKey = (physical: number, rest: number, mode: number): number =>
  2 ** 51 + (codeKey(Math.floor(physical / PAGE_BYTES) * 16 + PAGE_BYTES - 1 - (physical % PAGE_BYTES), mode)) * 2 ** 20 + rest / PAGE_BYTES

const pageEnd = (physical: number): number => (Math.floor(physical / PAGE_BYTES) + 1) * PAGE_BYTES

/** Decoded blocks by physical address and mode, and what to forget when their bytes change. */
export class CodeCache {
  private readonly memory: PhysicalMemory
  private readonly view: DataView
  private readonly blocks = new Map<number, Block>()
  private readonly byRecord = new Map<number, Block>()
  private readonly byPage = new Map<number, Set<Block>>()
  private next = RECORDS + SCRATCH_BYTES
  /** The instruction whose record is being written. */
  private readonly decoded = blankInstruction()
  private readonly hotAfter: number
  /** Called when a page holds its first code. */
  onCodePage: (page: number) => void = () => {}
  /** Called when everything had to be forgotten because the arena was full. */
  onFlush: () => void = () => {}

  /** @param hotAfter executions of a block until it is called hot; 0 for never. */
  constructor(memory: PhysicalMemory, hotAfter: number) {
    this.memory = memory
    this.view = new DataView(memory.wasm.buffer)
    this.hotAfter = hotAfter
  }

  /** The block at a physical address, decoded if need be; undefined when its first instruction crosses the page's end. */
  block(physical: number, mode: number): Block | undefined {
    return this.blocks.get(codeKey(physical, mode)) ?? this.decodeBlock(physical, mode)
  }

  /** The block at a physical address if it was ever executed. */
  known(physical: number, mode: number): Block | undefined {
    return this.blocks.get(codeKey(physical, mode))
  }

  /** The block of the one instruction that begins at the end of a page and goes on in the page at `rest`, decoded if need be. */
  crossing(physical: number, rest: number, mode: number): Block {
    return this.knownCrossing(physical, rest, mode) ?? this.decodeCrossing(physical, rest, mode)
  }

  /** The same if it was ever executed. */
  knownCrossing(physical: number, rest: number, mode: number): Block | undefined {
    return this.blocks.get(crossingKey(physical, rest, mode))
  }

  /** Physical addresses where blocks begin in a page that were decoded for a mode. */
  blocksOfPage(page: number, mode: number): number[] {
    return [...(this.byPage.get(page) ?? [])]
      .filter((block) => block.mode === mode && block.physical >>> PAGE_SHIFT === page)
      .map(({ physical }) => physical)
  }

  ofRecord(record: number): Block | undefined {
    return this.byRecord.get(record)
  }

  /** Decodes one instruction from bytes that are not in RAM, or not all of them; returns its record. */
  scratch(bytes: Uint8Array, mode: number): number {
    const instruction = this.decodeOne(bytes, 0, bytes.length, mode)
    return this.alone(instruction === INCOMPLETE ? undefinedInstruction(mode) : instruction)
  }

  /** Writes one instruction as a block of its own that is not remembered; returns its record. */
  alone(instruction: Instruction): number {
    const record = SCRATCH_BLOCK + BLOCK_HEADER_BYTES
    writeRecord(this.view, record, instruction)
    writeEnd(this.view, record + RECORD_BYTES, END_HANDLER)
    this.view.setUint32(SCRATCH_BLOCK, 0, true)
    return record
  }

  private decodeOne(bytes: Uint8Array, at: number, end: number, mode: number, into?: Instruction): Instruction | typeof INCOMPLETE {
    const instruction = decode(bytes, at, end, mode, into)
    return instruction === UNDEFINED ? undefinedInstruction(mode) : instruction
  }

  /** Decodes a block's instructions once more: most code never becomes hot, and to keep them would cost more than the records. */
  instructionsOf({ physical, mode, rest, restBytes, count }: Block): readonly Instruction[] {
    const isCrossing = restBytes > 0
    const code = isCrossing ? this.bytesOfCrossing(physical, rest) : this.memory.ram
    const end = isCrossing ? code.length : pageEnd(physical)
    const instructions: Instruction[] = []
    for (let at = isCrossing ? 0 : physical; instructions.length < count;) {
      const instruction = this.decodeOne(code, at, end, mode)
      if (instruction === INCOMPLETE) throw new Error(`the code at physical 0x${physical.toString(16)} changed unnoticed`)
      instructions.push(instruction)
      at += instruction.length
    }
    return instructions
  }

  private bytesOfCrossing(physical: number, rest: number): Uint8Array {
    const { ram } = this.memory
    const first = PAGE_BYTES - (physical % PAGE_BYTES)
    const both = new Uint8Array(FETCH_BYTES)
    both.set(ram.subarray(physical, physical + first))
    both.set(ram.subarray(rest, rest + FETCH_BYTES - first), first)
    return both
  }

  private decodeBlock(physical: number, mode: number): Block | undefined {
    const { ram } = this.memory
    const { decoded } = this
    const end = pageEnd(physical)
    const header = this.room()
    let record = header + BLOCK_HEADER_BYTES
    let at = physical
    let count = 0
    while (at < end && count < BLOCK_INSTRUCTIONS_MAX) {
      const instruction = this.decodeOne(ram, at, end, mode, decoded)
      if (instruction === INCOMPLETE) break
      writeRecord(this.view, record, instruction)
      record += RECORD_BYTES
      count++
      at += instruction.length
      if (instruction.definition.control !== undefined) break
    }
    if (count === 0) return undefined
    return this.enter({ key: codeKey(physical, mode), physical, mode, bytes: at - physical, rest: 0, restBytes: 0, header, count })
  }

  private decodeCrossing(physical: number, rest: number, mode: number): Block {
    const bytes = PAGE_BYTES - (physical % PAGE_BYTES)
    const decoded = this.decodeOne(this.bytesOfCrossing(physical, rest), 0, FETCH_BYTES, mode, this.decoded)
    const header = this.room()
    writeRecord(this.view, header + BLOCK_HEADER_BYTES, decoded === INCOMPLETE ? undefinedInstruction(mode) : decoded)
    // What no length is known of may depend on all the bytes that were looked at.
    const restBytes = FETCH_BYTES - bytes
    return this.enter({ key: crossingKey(physical, rest, mode), physical, mode, bytes, rest, restBytes, header, count: 1 })
  }

  /** Where the next block's header goes, with room for as many records as a block may have. */
  private room(): number {
    if (this.next + BLOCK_HEADER_BYTES + (BLOCK_INSTRUCTIONS_MAX + 1) * RECORD_BYTES > RECORDS_END) this.flush()
    return this.next
  }

  /** Takes in a block whose records are written. */
  private enter({ key, physical, mode, bytes, rest, restBytes, header, count }: Omit<Block, 'record'> & { header: number }): Block {
    const record = header + BLOCK_HEADER_BYTES
    this.next = record + (count + 1) * RECORD_BYTES
    this.view.setUint32(header, this.hotAfter, true)
    writeEnd(this.view, record + count * RECORD_BYTES, END_HANDLER)
    const block: Block = { key, physical, mode, bytes, rest, restBytes, record, count }
    this.blocks.set(key, block)
    this.byRecord.set(record, block)
    this.pageOf(physical >>> PAGE_SHIFT).add(block)
    if (restBytes > 0) this.pageOf(rest >>> PAGE_SHIFT).add(block)
    return block
  }

  private pageOf(page: number): Set<Block> {
    let blocks = this.byPage.get(page)
    if (!blocks) {
      blocks = new Set()
      this.byPage.set(page, blocks)
      this.memory.codePages[page] = 1
      this.onCodePage(page)
    }
    return blocks
  }

  /**
   * Forgets the blocks that overlap a range about to be written. A block that is being executed ends after its current
   * instruction. Returns their first records.
   */
  invalidate(address: number, length: number): number[] {
    const forgotten: number[] = []
    for (let page = address >>> PAGE_SHIFT; page <= (address + length - 1) >>> PAGE_SHIFT; page++) {
      const blocks = this.byPage.get(page)
      if (!blocks) continue
      for (const block of blocks)
        if (
          (block.physical < address + length && address < block.physical + block.bytes) ||
          (block.rest < address + length && address < block.rest + block.restBytes)
        ) {
          forgotten.push(block.record)
          this.forget(block)
        }
    }
    return forgotten
  }

  private forget(block: Block): void {
    this.blocks.delete(block.key)
    this.byRecord.delete(block.record)
    for (let index = 0; index < block.count; index++)
      writeEnd(this.view, block.record + index * RECORD_BYTES, END_HANDLER)
    for (const page of [block.physical >>> PAGE_SHIFT, block.rest >>> PAGE_SHIFT]) {
      const blocks = this.byPage.get(page)
      if (blocks?.delete(block) !== true || blocks.size > 0) continue
      this.byPage.delete(page)
      this.memory.codePages[page] = 0
    }
  }

  /** Forgets everything. */
  flush(): void {
    this.blocks.clear()
    this.byRecord.clear()
    for (const page of this.byPage.keys()) this.memory.codePages[page] = 0
    this.byPage.clear()
    this.next = RECORDS + SCRATCH_BYTES
    this.onFlush()
  }
}

const UD2 = Uint8Array.of(0x0f, 0x0b)
/** What an encoding without a meaning decodes to. */
const undefinedInstruction = (mode: number): Instruction => decode(UD2, 0, UD2.length, mode) as Instruction
/** How many bytes to gather for an instruction that crosses a page. */
export const FETCH_BYTES = INSTRUCTION_BYTES_MAX
if (allVariants().length > 0xffff) throw new Error('handler numbers no longer fit a record')
