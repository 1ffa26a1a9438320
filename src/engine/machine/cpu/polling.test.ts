import { expect, test } from 'vitest'
import type { Tier } from './cpu.ts'
import { bareCpu } from './testing/bare-cpu.ts'

/** IN and RDTSC, which translated code runs too: what they ask the machine must be asked at the same instruction in every tier. */

const TIERS: readonly { tier: Tier; hotAfter?: number }[] = [{ tier: 'interpreter' }, { tier: 'auto', hotAfter: 3 }, { tier: 'translator' }]
const START = 0x100000n

/** What a program sees when it is run `slice` instructions at a time, and when it asked for what. */
function follow({ tier, hotAfter }: (typeof TIERS)[number], code: readonly number[], slice: number): string[] {
  const seen: string[] = []
  let before = 0
  const now = (): number => before + cpu.executedInRun()
  const { cpu, memory, snapshot } = bareCpu({
    tier,
    hotAfter,
    host: {
      portIn: (port, size) => {
        seen.push(`in ${port.toString(16)} ${size} at ${now()}`)
        if (now() % 7 === 0) cpu.requestStop()
        return (now() * 0x01010101) >>> 0
      },
      nowNs: () => now() * 2,
    },
  })
  memory.write(Number(START), Uint8Array.from(code))
  cpu.rip = START
  cpu.setGpr(1, 40n)
  cpu.setGpr(2, 0x12345n)
  while (!cpu.halted) {
    const executed = cpu.run(slice)
    before += executed
    seen.push(`${executed} ${snapshot()}`)
  }
  return seen
}

test.each([
  // L: in al,0x60 ; add ebx,eax ; in ax,dx ; in eax,dx ; add ebx,eax ; dec ecx ; jnz L ; hlt
  ['ports', [0xe4, 0x60, 0x01, 0xc3, 0x66, 0xed, 0xed, 0x01, 0xc3, 0xff, 0xc9, 0x75, 0xf3, 0xf4]],
  // L: rdtsc ; add ebx,eax ; add esi,edx ; dec ecx ; jnz L ; hlt
  ['time', [0x0f, 0x31, 0x01, 0xc3, 0x01, 0xd6, 0xff, 0xc9, 0x75, 0xf6, 0xf4]],
])('%s', (_, code) => {
  for (const slice of [1, 3, 10, 1000]) {
    const [expected, ...others] = TIERS.map((tier) => follow(tier, code, slice))
    expect(expected.at(-1)).toMatch(/ rip \S+ /)
    for (const other of others) expect(other).toEqual(expected)
  }
})

test('the time stamp is that of its instruction', () => {
  // rdtsc ; mov ebx,eax ; rdtsc ; sub eax,ebx ; hlt
  const code = [0x0f, 0x31, 0x89, 0xc3, 0x0f, 0x31, 0x29, 0xd8, 0xf4]
  for (const tier of TIERS) expect(follow(tier, code, 1000).at(-1)).toMatch(/^5 rip \S+ flags \S+ 4 /)
})
