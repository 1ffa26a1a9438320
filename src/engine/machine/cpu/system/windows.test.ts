import { describe, expect, test } from 'vitest'
import {
  Access, RAM_BASE, TLB_ENTRIES, TLB_ENTRY_BYTES, TLB_SUPERVISOR, TLB_WINDOW_BYTES, TLB_WINDOWS, TlbField, TlbWindowField, WINDOW_SLOTS,
  WindowSlotField, WINDOW_TAIL_BYTES,
} from '../state.ts'
import { Random } from '../testing/random-program.ts'
import { At, Pte, TestProcessor } from './testing.ts'

const { READ, WRITE } = Access
const PAGES = 64
const FIRST = 0x100

interface Window {
  base: number
  bytes: number
  delta: number
}

/** The windows of the TLB entry that serves a page; undefined where its tag does not. */
function windowsOf(cpu: TestProcessor, page: number): { read?: Window; write?: Window } {
  const index = page % TLB_ENTRIES
  const entry = TLB_SUPERVISOR + index * TLB_ENTRY_BYTES
  const at = TLB_WINDOWS + index * TLB_WINDOW_BYTES
  const window = (base: number, bytes: number): Window => ({
    base: Number(cpu.u64(at + base)),
    bytes: cpu.u32(at + bytes) + WINDOW_TAIL_BYTES,
    delta: cpu.u32(at + TlbWindowField.DELTA),
  })
  const has = (tag: number): boolean => cpu.u64(entry + tag) === BigInt(page) << 12n
  return {
    read: has(TlbField.READ) ? window(TlbWindowField.READ_BASE, TlbWindowField.READ_BYTES) : undefined,
    write: has(TlbField.WRITE) ? window(TlbWindowField.WRITE_BASE, TlbWindowField.WRITE_BYTES) : undefined,
  }
}

/** Whether every page of a window is what a walk says, with nothing left to mark. */
function check(cpu: TestProcessor, { base, bytes, delta }: Window, access: number): void {
  const { mmu } = cpu.system
  for (let at = base; at < base + bytes; at += 4096) {
    const physical = mmu.probe(at, 0, access, false)
    expect(RAM_BASE + physical, `0x${at.toString(16)} through the window at 0x${base.toString(16)}`).toBe((at + delta) % 2 ** 32)
    const entry = cpu.entry(At.PT + (at >> 12) * 8)
    const used = access === WRITE ? Pte.A | Pte.D : Pte.A
    expect(entry & used, `bits of 0x${at.toString(16)}`).toBe(used)
    if (access === WRITE) expect(cpu.memory.codePages[physical >> 12]).toBe(0)
  }
}

test('a page beside those already used joins their window, one that leads elsewhere does not', () => {
  const cpu = new TestProcessor().longMode()
  cpu.translate(0x50000n, WRITE)
  cpu.translate(0x51000n, WRITE)
  cpu.translate(0x52000n, READ)
  expect(windowsOf(cpu, 0x52).read).toEqual({ base: 0x50000, bytes: 0x3000, delta: RAM_BASE })
  expect(windowsOf(cpu, 0x51).write).toEqual({ base: 0x50000, bytes: 0x2000, delta: RAM_BASE })
  expect(windowsOf(cpu, 0x52).write).toBeUndefined()
})

test('what forgets one page forgets the windows it may be in', () => {
  const cpu = new TestProcessor().longMode()
  for (const page of [0x50n, 0x51n, 0x52n]) cpu.translate(page << 12n, WRITE)
  cpu.setU64(WINDOW_SLOTS + WindowSlotField.BYTES, 0x1000)
  cpu.system.mmu.invalidatePage(0x51000, 0)
  expect(windowsOf(cpu, 0x52).read).toEqual({ base: 0x52000, bytes: 0x1000, delta: RAM_BASE })
  expect(windowsOf(cpu, 0x51).read).toBeUndefined()
  expect(cpu.u64(WINDOW_SLOTS + WindowSlotField.BYTES)).toBe(0n)
})

test('a window of writing that reaches further than that of reading is forgotten too', () => {
  const cpu = new TestProcessor().longMode()
  for (let page = 0x100; page < 0x180; page++) cpu.translate(BigInt(page) << 12n, WRITE)
  // Both begin anew: writing around 0x140, reading elsewhere, and then reading at a page that only the former has.
  cpu.system.mmu.invalidateAll()
  cpu.translate(0x140000n, WRITE)
  cpu.translate(0x1f0000n, READ)
  cpu.translate(0x17f000n, READ)
  expect(windowsOf(cpu, 0x17f).write?.base).toBe(0x100000)
  expect(windowsOf(cpu, 0x17f).read?.base).toBeGreaterThan(0x100000)
  cpu.system.mmu.invalidatePage(0x105000, 0)
  expect(windowsOf(cpu, 0x17f).write).toEqual({ base: 0x17f000, bytes: 0x1000, delta: RAM_BASE })
})

test('a page in which code was found leaves the windows of writing', () => {
  const cpu = new TestProcessor().longMode()
  for (const page of [0x50n, 0x51n, 0x52n]) cpu.translate(page << 12n, WRITE)
  cpu.memory.codePages[0x51] = 1
  cpu.system.mmu.dropWriteTags(0x51)
  cpu.system.mmu.invalidatePage(0x52000, 0)
  cpu.translate(0x52000n, WRITE)
  expect(windowsOf(cpu, 0x52).write).toEqual({ base: 0x52000, bytes: 0x1000, delta: RAM_BASE })
  expect(windowsOf(cpu, 0x51).write).toBeUndefined()
})

describe('whatever the tables say and whatever was touched', () => {
  test.each(Array.from({ length: 40 }, (_, seed) => [seed]))('windows of seed %i hold only what a walk allows', (seed) => {
    const random = new Random(seed + 1)
    const cpu = new TestProcessor().longMode()
    for (let page = FIRST; page < FIRST + PAGES; page++) {
      const to = random.below(4) === 0 ? FIRST + random.below(PAGES) : page
      const rights = random.pick([Pte.P | Pte.W, Pte.P | Pte.W, Pte.P | Pte.W, Pte.P, 0n])
      cpu.memory.writeU64(At.PT + page * 8, (BigInt(to) << 12n) | rights)
    }
    cpu.system.mmu.invalidateAll()
    for (let step = 0; step < 400; step++) {
      const page = FIRST + random.below(PAGES)
      const what = random.below(40)
      if (what === 0) cpu.system.mmu.invalidatePage(page << 12, 0)
      else if (what === 1) {
        cpu.memory.codePages[page] = 1
        cpu.system.mmu.dropWriteTags(page)
      } else cpu.translate(BigInt(page) << 12n, random.pick([READ, WRITE]))
      if (step % 50 !== 49) continue
      for (let at = FIRST; at < FIRST + PAGES; at++) {
        const { read, write } = windowsOf(cpu, at)
        if (read !== undefined) check(cpu, read, READ)
        if (write !== undefined) check(cpu, write, WRITE)
      }
    }
  })
})

test('a page of the window found last is filled without a walk, until that is forgotten', () => {
  const cpu = new TestProcessor().longMode()
  for (const page of [0x50n, 0x51n, 0x52n]) cpu.translate(page << 12n, WRITE)
  cpu.system.mmu.invalidateAll()
  cpu.translate(0x50000n, WRITE)
  expect(windowsOf(cpu, 0x52).write).toBeUndefined()
  cpu.translate(0x52000n, WRITE)
  expect(windowsOf(cpu, 0x52).write).toEqual(windowsOf(cpu, 0x50).write)
  cpu.system.mmu.invalidatePage(0x51000, 0)
  cpu.translate(0x51000n, READ)
  expect(windowsOf(cpu, 0x51).write).toBeDefined()
})
