import { describe, expect, test } from 'vitest'
import type { PhysicalMemory } from '../memory.ts'
import type { Cpu, Tier } from './cpu.ts'
import { SegmentIndex, State } from './state.ts'
import { Cr0, Word } from './system/views.ts'
import {
  AREA_PT, FRAMES, FRAME_COUNT, Model, RAM_BYTES, addressOf, changesOf, pagedProgram, readWord, tablesFor, writeWord,
} from './testing/paged-program.ts'
import type { Change, Fault, PagedProgram, Physical } from './testing/paged-program.ts'
import { Random } from './testing/random-program.ts'
import { KERNEL_CODE, PML4, TrapStage } from './testing/trap-stage.ts'

/**
 * Accesses under page tables of any kind, in every tier, against a model that walks the tables for each byte: what windows and the TLB
 * answer for must be what a walk would say, whatever was touched, changed and invalidated before.
 *
 *     PAGED=100000 PAGED_SEED=1 npx vitest run src/engine/machine/cpu/paged-memory.test.ts
 */
const COUNT = Number(process.env.PAGED ?? 40)
const FIRST_SEED = Number(process.env.PAGED_SEED ?? 1)
/** Programs that run one after the other on one processor, in the same area. */
const ROUNDS = 3
const TURNS = 4

const CODE_PDPT = 0x40000
const CODE_PD = 0x41000
const CODE_PT = 0x42000
const CODE_FRAME = 0x50000
/** In an entry of PML4 that no area uses. */
const CODE = 0x10000000000n
const INSTRUCTIONS_MAX = 1000
/** Of segments with DPL 0. */
const CODE_ATTRIBUTES = 0xa09b
const STACK_ATTRIBUTES = 0xc093

/** A device that answers each address with a byte of its own until it is written. */
class Device implements Physical {
  readonly written = new Map<number, number>()
  read(address: number): number { return this.written.get(address) ?? (address * 167 + (address >> 8)) & 0xff }
  write(address: number, value: number): void { this.written.set(address, value) }
}

class Plain implements Physical {
  private readonly bytes = new Uint8Array(RAM_BYTES)
  read(address: number): number { return this.bytes[address] }
  write(address: number, value: number): void { this.bytes[address] = value }
  setFrames(contents: Uint8Array): void { this.bytes.set(contents, FRAMES) }
  frames(): Uint8Array { return this.bytes.subarray(FRAMES, FRAMES + FRAME_COUNT * 4096) }
}

class PagedProcessor implements Physical {
  readonly device = new Device()
  private readonly stage: TrapStage
  private readonly memory: PhysicalMemory
  private readonly cpu: Cpu

  constructor(tier: Tier, hotAfter?: number) {
    const { device } = this
    this.stage = new TrapStage({
      ramBytes: RAM_BYTES, tier, hotAfter,
      host: {
        mmioRead: (physical, size, into) => { for (let byte = 0; byte < size; byte++) into.setUint8(byte, device.read(physical + byte)) },
        mmioWrite: (physical, size, from) => { for (let byte = 0; byte < size; byte++) device.write(physical + byte, from.getUint8(byte)) },
      },
    })
    const { memory, cpu } = this.stage
    this.memory = memory
    this.cpu = cpu
    memory.writeU64(PML4 + Number((CODE >> 39n) & 511n) * 8, BigInt(CODE_PDPT | 7))
    memory.writeU64(CODE_PDPT, BigInt(CODE_PD | 7))
    memory.writeU64(CODE_PD, BigInt(CODE_PT | 7))
    memory.writeU64(CODE_PT, BigInt(CODE_FRAME | 5))
  }

  read(address: number): number { return this.memory.readU8(address) }
  write(address: number, value: number): void { this.memory.writeU8(address, value) }

  flush(): void { this.cpu.setCr3(PML4) }
  invalidate(address: bigint): void {
    this.cpu.system.mmu.invalidatePage(Number(BigInt.asIntN(32, address)), Number(BigInt.asIntN(32, address >> 32n)))
  }

  begin({ registers, user, writeProtect, accesses }: PagedProgram): void {
    const { state } = this.cpu.system
    const dpl = user ? 0x60 : 0
    state.setSegment(SegmentIndex.CS, user ? 0x33 : KERNEL_CODE, CODE_ATTRIBUTES | dpl, 0, 0, 0xffffffff)
    state.setSegment(SegmentIndex.SS, user ? 0x2b : 0, STACK_ATTRIBUTES | dpl, 0, 0, 0xffffffff)
    state.i32[Word.CR0] = Cr0.PE | Cr0.MP | Cr0.ET | Cr0.NE | Cr0.PG | (writeProtect ? Cr0.WP : 0)
    registers.forEach((value, register) => this.cpu.setGpr(register, BigInt.asIntN(64, value)))
    state.u8.fill(0, State.XMM, State.XMM + 16)
    this.cpu.setRflags(2)
    state.updateMode()
    this.flush()
    this.memory.write(CODE_FRAME, Uint8Array.from([...accesses.flatMap(({ code }) => code), 0xcc]))
  }

  /** Runs from an offset in the program; answers what stopped it, INT3 at its end included, and where. */
  run(from: number, slice: number): Fault & { at: number } {
    const { cpu } = this
    const { state } = cpu.system
    const { vector, error, cr2, rip, cs, rflags, rsp, ss } = this.stage.run(CODE + BigInt(from), slice, INSTRUCTIONS_MAX)
    cpu.setGpr(4, BigInt.asIntN(64, rsp))
    state.setSegment(SegmentIndex.CS, cs, CODE_ATTRIBUTES | ((cs & 3) << 5), 0, 0, 0xffffffff)
    state.setSegment(SegmentIndex.SS, ss, STACK_ATTRIBUTES | ((ss & 3) << 5), 0, 0, 0xffffffff)
    cpu.setRflags(rflags)
    state.updateMode()
    return { vector, error, cr2, at: Number(rip - CODE) }
  }

  set(register: number, value: bigint): void { this.cpu.setGpr(register, BigInt.asIntN(64, value)) }
  registers(): bigint[] { return Array.from({ length: 16 }, (_, register) => BigInt.asUintN(64, this.cpu.getGpr(register))) }
  setFrames(contents: Uint8Array): void { this.memory.write(FRAMES, contents) }
  frames(): Uint8Array { return this.memory.read(FRAMES, FRAME_COUNT * 4096) }
  xmm0(): bigint[] {
    const bytes = this.cpu.xmm(0)
    const view = new DataView(bytes.buffer, bytes.byteOffset, 16)
    return [view.getBigUint64(0, true), view.getBigUint64(8, true)]
  }
}

const hex = (values: readonly bigint[]): string => values.map((value) => value.toString(16)).join(' ')
const show = ({ vector, error, cr2 }: Fault, at: number): string => `#${vector} ${error} cr2 ${cr2.toString(16)} at ${at}`
const textOf = ({ accesses, user, area }: PagedProgram): string => {
  const lines = accesses.map(({ operation: { kind, size }, base, displacement }) => `${kind}${size} [r${base}+${displacement}]`)
  return `ring ${user ? 3 : 0}, area ${area.toString(16)}: ${lines.join('; ')}`
}

function compare(seed: number, tier: Tier, hotAfter: number | undefined): void {
  const random = new Random(Math.imul(seed, 0x9e3779b1) ^ 0x2545f491)
  for (let index = 0; index < 4; index++) random.next()
  const processor = new PagedProcessor(tier, hotAfter)
  const memory = new Plain()
  const device = new Device()
  const apply = (changes: readonly Change[]): void => {
    for (const [at, value] of changes) for (const each of [memory, processor]) writeWord(each, at, value)
  }
  const contents = Uint32Array.from({ length: FRAME_COUNT * 1024 }, () => random.next())
  for (const each of [memory, processor]) each.setFrames(new Uint8Array(contents.buffer))
  let area = -1n
  for (let round = 0; round < ROUNDS; round++) {
    const program = pagedProgram(random)
    if (area !== program.area) {
      apply(tablesFor(random, program.area))
      area = program.area
    }
    processor.begin(program)
    const model = new Model(program, memory, device)
    const slice = random.pick([1, 3, INSTRUCTIONS_MAX])
    for (let turn = 0; turn < TURNS; turn++) {
      let offset = 0
      for (let index = 0; index <= program.accesses.length;) {
        // The model goes on until something stops it, too.
        let fault: Fault = { vector: 3, error: 0, cr2: 0n }
        let reached = offset
        let at = index
        for (; at < program.accesses.length; at++) {
          const stopped = model.step(program.accesses[at])
          if (stopped !== undefined) {
            fault = stopped
            break
          }
          reached += program.accesses[at].code.length
        }
        const found = processor.run(offset, slice)
        const name = `seed ${seed}, round ${round}, turn ${turn}, from ${index}, ${textOf(program)}`
        const end = found.at - (found.vector === 3 ? 1 : 0)
        expect(`${show(found, end)}\n${hex(processor.registers())}\n${hex(processor.xmm0())}`, name)
          .toBe(`${show(fault, reached)}\n${hex(model.registers)}\n${hex(model.xmm0)}`)
        if (at === program.accesses.length) break
        offset = reached + program.accesses[at].code.length
        index = at + 1
      }
      const name = `seed ${seed}, round ${round}, turn ${turn}, ${textOf(program)}`
      const tables = (each: Physical): string => hex(Array.from({ length: 512 }, (_, index) => readWord(each, AREA_PT + index * 8)))
      expect(tables(processor), name).toBe(tables(memory))
      expect(Buffer.compare(processor.frames(), memory.frames()), name).toBe(0)
      expect([...processor.device.written], name).toEqual([...device.written])
      const changes = changesOf(random, area, random.below(4))
      apply(changes)
      if (random.below(4) === 0) processor.flush()
      else for (const change of changes) processor.invalidate(addressOf(area, change))
      model.registers.forEach((_, register) => {
        if (random.below(3) > 0) return
        const value = program.registers[register]
        model.registers[register] = value
        processor.set(register, value)
      })
    }
  }
}

describe('what windows and the TLB answer for is what a walk of the tables would say', () => {
  test.each([
    ['interpreter', undefined],
    ['translator', undefined],
    ['auto', 2],
  ] as const)('%s', (tier, hotAfter) => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + COUNT; seed++) compare(seed, tier, hotAfter)
  }, 3_600_000)
})
