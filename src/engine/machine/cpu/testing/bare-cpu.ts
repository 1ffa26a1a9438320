import { PhysicalMemory } from '../../memory.ts'
import type { CpuHost } from '../core.ts'
import { Cpu } from '../cpu.ts'
import type { Tier } from '../cpu.ts'
import { State } from '../state.ts'

/**
 * A processor in 64-bit mode at CPL 0 with all of memory mapped, and nothing around it. Memory is mapped to itself by one large page; with
 * `swapped` by small pages, those pairs of pages by number leading to one another's place.
 */
export interface BareCpuOptions {
  ramBytes?: number
  tier?: Tier
  hotAfter?: number
  swapped?: readonly (readonly [number, number])[]
  /** Instead of a machine that answers ones, ignores what is written and has no clock. */
  host?: Partial<CpuHost>
}
export interface BareCpu {
  cpu: Cpu
  memory: PhysicalMemory
  warnings: string[]
  /** Everything a program can see: registers, RIP, RFLAGS, XMM. */
  snapshot(): string
}

const PML4 = 0x1000
const PDPT = 0x2000
const DIRECTORY = 0x3000
const TABLES = 0x4000
const PRESENT_WRITABLE = 3n
const LARGE = 0x83n

export function bareCpu(options: BareCpuOptions = {}): BareCpu {
  const memory = new PhysicalMemory(options.ramBytes ?? 4 << 20)
  const warnings: string[] = []
  const host: CpuHost = {
    portIn: () => 0xffffffff,
    portOut: () => {},
    mmioRead: (_physical, size, into) => {
      for (let index = 0; index < size; index++) into.setUint8(index, 0xff)
    },
    mmioWrite: () => {},
    hypercall: () => false,
    acknowledgeInterrupt: () => 0,
    interruptPending: () => false,
    nowNs: () => 0,
    warn: (message) => warnings.push(message),
    ...options.host,
  }
  const cpu = new Cpu(memory, host, { tier: options.tier, hotAfter: options.hotAfter })
  cpu.reset()
  memory.writeU64(PML4, BigInt(PDPT) | PRESENT_WRITABLE)
  if (options.swapped === undefined) memory.writeU64(PDPT, LARGE)
  else mapSmall(memory, options.swapped)
  const { state } = cpu.system
  state.u32[State.CR4 >> 2] = 0x620 // PAE, OSFXSR, OSXMMEXCPT
  state.u32[State.EFER >> 2] = 0x500 // LME, LMA
  state.u32[State.CR0 >> 2] = 0x80000011 // PG, ET, PE
  state.setSegment(1, 0x08, 0xa09b, 0, 0, 0xffffffff)
  cpu.setCr3(PML4)
  state.updateMode()
  return {
    cpu,
    memory,
    warnings,
    snapshot() {
      const registers = Array.from({ length: 16 }, (_, index) => cpu.getGpr(index).toString(16)).join(' ')
      const xmm = Array.from({ length: 16 }, (_, index) => Buffer.from(cpu.xmm(index)).toString('hex')).join(' ')
      return `rip ${cpu.rip.toString(16)} flags ${cpu.getRflags().toString(16)} ${registers} ${xmm}`
    },
  }
}

function mapSmall(memory: PhysicalMemory, swapped: readonly (readonly [number, number])[]): void {
  memory.writeU64(PDPT, BigInt(DIRECTORY) | PRESENT_WRITABLE)
  for (let page = 0; page < memory.bytes >> 12; page++) {
    if (page % 512 === 0) memory.writeU64(DIRECTORY + (page >> 9) * 8, BigInt(TABLES + (page >> 9) * 4096) | PRESENT_WRITABLE)
    const pair = swapped.find((one) => one.includes(page))
    const to = pair === undefined ? page : pair[0] + pair[1] - page
    memory.writeU64(TABLES + page * 8, (BigInt(to) << 12n) | PRESENT_WRITABLE)
  }
}
