import { expect, test } from 'vitest'
import { Machine } from '../engine/machine/machine.ts'
import { TiersDisagree, guestFor } from './tiers.ts'
import type { OpenGuest } from './tiers.ts'

const START = 0x100000
/** add eax, ecx ; inc ecx ; mov [0x200000], eax ; jmp back */
const LOOP = Uint8Array.of(0x01, 0xc8, 0x41, 0xa3, 0, 0, 0x20, 0, 0xeb, 0xf6)
const LIMIT_NS = 100_000

function guest(machine: Machine): OpenGuest {
  machine.memory.write(START, LOOP)
  machine.cpu.rip = BigInt(START)
  return {
    machine,
    advance: (untilNs) => void machine.run(untilNs),
    type: () => {},
    endInput: () => {},
    get virtualNs() {
      return machine.clock.nowNs
    },
    get isEnded() {
      return machine.state.kind !== 'running'
    },
    untakenBytes: 0,
    waitsForInput: false,
  }
}

test('a checked guest runs in both tiers to the same end', () => {
  const made: Machine[] = []
  const checked = guestFor('checked', (tier) => {
    made.push(new Machine({ ramBytes: 16 << 20, tier }))
    return guest(made.at(-1)!)
  })
  checked.advance(LIMIT_NS)
  expect(checked.virtualNs).toBe(LIMIT_NS)
  expect(made.map(({ instructions }) => instructions)).toEqual([LIMIT_NS / 2, LIMIT_NS / 2])
  expect(made[0].cpu.getGpr(0)).toBe(made[1].cpu.getGpr(0))
})

test('what differs is named', () => {
  let nth = 0
  const checked = guestFor('checked', (tier) => {
    const machine = new Machine({ ramBytes: 16 << 20, tier })
    const made = guest(machine)
    machine.cpu.setGpr(3, BigInt(nth++))
    return made
  })
  expect(() => checked.advance(LIMIT_NS)).toThrow(TiersDisagree)
  expect(() => checked.advance(LIMIT_NS)).toThrow(/after \d+ instructions, .*: rbx 0x0, not 0x1$/)
})
