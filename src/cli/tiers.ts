import type { Tier } from '../engine/machine/cpu/cpu.ts'
import { GPR_NAMES } from '../engine/machine/cpu/register-names.ts'
import type { Machine } from '../engine/machine/machine.ts'
import type { TierChoice } from '../main/service/machine-options.ts'
import type { Guest } from './drive.ts'

/** A guest whose machine may be looked into. */
export interface OpenGuest extends Guest {
  readonly machine: Machine
}

/** The guest for a tier, made as often as it takes; the first one made is the one that is heard. */
export function guestFor(tier: TierChoice, make: (tier: Tier, isHeard: boolean) => OpenGuest): Guest {
  return tier === 'checked' ? new CheckedGuest(make('warm', true), make('interpreter', false)) : make(tier, true)
}

/** The two tiers have come to different states, which is a bug of Atoll's. */
export class TiersDisagree extends Error {
  override readonly name = 'TiersDisagree'
}

/** Virtual time between two comparisons at most, a thousand instructions. It is drawn, so that each boundary has its turn. */
const SLICE_NS_MAX = 2000

/** Two machines that are told the same and must be in the same state wherever they are stopped. */
class CheckedGuest implements Guest {
  private readonly tested: OpenGuest
  private readonly reference: OpenGuest
  private draw = 1

  constructor(tested: OpenGuest, reference: OpenGuest) {
    this.tested = tested
    this.reference = reference
  }

  /** Throws TiersDisagree. */
  advance(untilNs: number): void {
    const { tested, reference } = this
    while (tested.virtualNs < untilNs && !tested.isEnded) {
      const from = tested.machine.cpu.rip
      this.draw = (Math.imul(this.draw, 1664525) + 1013904223) >>> 0
      const stepNs = 1 + ((this.draw >>> 8) % SLICE_NS_MAX)
      const stop = Math.min(untilNs, tested.virtualNs + stepNs)
      tested.advance(stop)
      reference.advance(stop)
      this.compare(from)
    }
    if (tested.isEnded) this.compareMemory()
  }

  private compare(from: bigint): void {
    const theirs = stateOf(this.reference.machine)
    const differences = stateOf(this.tested.machine).filter(([, value], index) => value !== theirs[index][1])
    if (differences.length === 0) return
    const list = differences.map(([name, value]) => `${name} ${value}, not ${theirs.find((one) => one[0] === name)?.[1]}`)
    throw new TiersDisagree(
      `the translator disagrees with the interpreter after ${this.reference.machine.instructions} instructions, on the way from ` +
        `0x${from.toString(16)}: ${list.join('; ')}`,
    )
  }

  private compareMemory(): void {
    const [ours, theirs] = [this.tested, this.reference].map(({ machine }) => machine.memory.ram)
    const at = Buffer.compare(ours, theirs) === 0 ? -1 : ours.findIndex((byte, index) => byte !== theirs[index])
    if (at >= 0) throw new TiersDisagree(`the translator left another byte at physical address 0x${at.toString(16)} than the interpreter`)
  }

  type(bytes: Uint8Array): void {
    this.tested.type(bytes)
    this.reference.type(bytes)
  }
  endInput(): void {
    this.tested.endInput()
    this.reference.endInput()
  }
  get virtualNs(): number {
    return this.tested.virtualNs
  }
  get isEnded(): boolean {
    return this.tested.isEnded
  }
  get untakenBytes(): number {
    return this.tested.untakenBytes
  }
  get waitsForInput(): boolean {
    return this.tested.waitsForInput
  }
}

const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs', 'ldtr', 'tr']

/** What a program can see of a processor, by name, and the clock. */
function stateOf({ cpu, instructions }: Machine): [name: string, value: string][] {
  const hex = (value: bigint | number): string => `0x${value.toString(16)}`
  return [
    ['rip', hex(cpu.rip)],
    ['rflags', hex(cpu.getRflags())],
    ...GPR_NAMES.map((name, index): [string, string] => [name, hex(cpu.getGpr(index))]),
    ...GPR_NAMES.map((_, index): [string, string] => [`xmm${index}`, Buffer.from(cpu.xmm(index)).toString('hex')]),
    ...SEGMENTS.map((name, index): [string, string] => {
      const { selector, attributes, base, limit } = cpu.segment(index)
      return [name, [selector, attributes, base, limit].map(hex).join(' ')]
    }),
    ['cr0', hex(cpu.cr0)],
    ['cr2', hex(cpu.cr2)],
    ['cr3', hex(cpu.cr3)],
    ['cr4', hex(cpu.cr4)],
    ['efer', hex(cpu.efer)],
    ['instructions', String(instructions)],
  ]
}
