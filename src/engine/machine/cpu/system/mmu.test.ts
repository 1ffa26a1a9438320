import { describe, expect, test } from 'vitest'
import { Access, RAM_BASE, State, TLB_ENTRIES, TLB_SUPERVISOR, TLB_USER } from '../state.ts'
import { ACCESS_STACK } from './mmu.ts'
import { At, Pte, TestProcessor } from './testing.ts'
import { Cr0, Cr4, Efer } from './views.ts'

const { READ, WRITE, EXECUTE } = Access
const PAGE = 0x50000
const PAGE_ENTRY = At.PT + (PAGE >> 12) * 8

/** Tags of the slot that serves an address. */
function slot(cpu: TestProcessor, va: bigint, user: boolean) {
  const at = (user ? TLB_USER : TLB_SUPERVISOR) + Number((va >> 12n) % BigInt(TLB_ENTRIES)) * 32
  const page = va & ~0xfffn
  return { read: cpu.u64(at) === page, write: cpu.u64(at + 8) === page, host: cpu.u32(at + 16) }
}

describe('paging off', () => {
  test('linear addresses are physical, above RAM they are devices', () => {
    const cpu = new TestProcessor().protectedMode()
    expect(cpu.translate(0x12345n, WRITE)).toBe(0x12345n)
    expect(cpu.translate(0x400000n, READ)).toBe('mmio')
    expect(cpu.u64(State.SLOW_PA)).toBe(0x400000n)
    expect(cpu.translate(0xfee00020n, READ)).toBe('mmio')
    expect(cpu.u64(State.SLOW_PA)).toBe(0xfee00020n)
  })
})

describe('4-level paging', () => {
  test('accessed bits are set in every level, dirty only by a write and only in the leaf', () => {
    const cpu = new TestProcessor().longMode()
    expect(cpu.translate(BigInt(PAGE + 5), READ)).toBe(BigInt(PAGE + 5))
    for (const entry of [At.PML4, At.PDPT, At.PD, PAGE_ENTRY]) expect(cpu.entry(entry) & (Pte.A | Pte.D)).toBe(Pte.A)
    expect(slot(cpu, BigInt(PAGE), false)).toEqual({ read: true, write: false, host: RAM_BASE + PAGE })
    cpu.translate(BigInt(PAGE), WRITE)
    expect(cpu.entry(PAGE_ENTRY) & Pte.D).toBe(Pte.D)
    expect(slot(cpu, BigInt(PAGE), false).write).toBe(true)
  })

  test('a faulting access sets no accessed bit', () => {
    const cpu = new TestProcessor().longMode()
    cpu.page(PAGE, Pte.P)
    expect(cpu.translate(BigInt(PAGE), WRITE)).toBe('fault')
    for (const entry of [At.PML4, At.PDPT, At.PD, PAGE_ENTRY]) expect(cpu.entry(entry) & Pte.A).toBe(0n)
  })

  // SDM vol. 3, 4.7: P 1, W/R 2, U/S 4, RSVD 8, I/D 16.
  test.each([
    ['not present, read by the kernel', 0n, READ, false, 0],
    ['not present, write by the kernel', 0n, WRITE, false, 2],
    ['not present, read by the user', 0n, READ, true, 4],
    ['not present, write by the user', 0n, WRITE, true, 6],
    ['not present, fetch by the user', 0n, EXECUTE, true, 0x14],
    ['supervisor page read by the user', Pte.P | Pte.W, READ, true, 5],
    ['supervisor page written by the user', Pte.P | Pte.W, WRITE, true, 7],
    ['read-only page written by the user', Pte.P | Pte.U, WRITE, true, 7],
    ['read-only page written by the kernel with WP', Pte.P, WRITE, false, 3],
    ['no-execute page fetched by the kernel', Pte.P | Pte.NX, EXECUTE, false, 0x11],
    ['no-execute page fetched by the user', Pte.P | Pte.U | Pte.NX, EXECUTE, true, 0x15],
    ['reserved bit, read by the kernel', Pte.P | (1n << 51n), READ, false, 9],
    ['reserved bit, write by the user', Pte.P | (1n << 40n), WRITE, true, 0xf],
  ])('%s: error code', (_name, bits, access, user, error) => {
    const cpu = new TestProcessor().longMode()
    if (user) cpu.userMode()
    cpu.page(PAGE, bits)
    expect(cpu.translate(BigInt(PAGE + 8), access)).toBe('fault')
    expect(cpu.fault).toEqual({ vector: 14, error })
    expect(cpu.cr2).toBe(BigInt(PAGE + 8))
  })

  test('without NXE bit 63 is reserved and fetches report no I/D', () => {
    const cpu = new TestProcessor().longMode()
    cpu.setU64(State.EFER, Efer.LME | Efer.LMA)
    cpu.page(PAGE, Pte.P | Pte.NX)
    expect(cpu.translate(BigInt(PAGE), EXECUTE)).toBe('fault')
    expect(cpu.fault.error).toBe(9)
    cpu.page(PAGE, 0n)
    cpu.translate(BigInt(PAGE), EXECUTE)
    expect(cpu.fault.error).toBe(0)
  })

  test('rights are those of all levels together', () => {
    const cpu = new TestProcessor().longMode().userMode()
    cpu.memory.writeU64(At.PD, BigInt(At.PT) | Pte.P | Pte.U)
    cpu.system.mmu.invalidateAll()
    expect(cpu.translate(BigInt(At.DATA), READ)).toBe(BigInt(At.DATA))
    expect(cpu.translate(BigInt(At.DATA), WRITE)).toBe('fault')
    cpu.memory.writeU64(At.PDPT, BigInt(At.PD) | Pte.P | Pte.W | Pte.U | Pte.NX)
    cpu.system.mmu.invalidateAll()
    expect(cpu.translate(BigInt(At.DATA), EXECUTE)).toBe('fault')
  })

  test('without WP the kernel writes read-only pages, and the TLB says so', () => {
    const cpu = new TestProcessor().longMode()
    cpu.setU64(State.CR0, BigInt((Cr0.PE | Cr0.PG) >>> 0))
    cpu.page(PAGE, Pte.P)
    expect(cpu.translate(BigInt(PAGE), WRITE)).toBe(BigInt(PAGE))
    expect(slot(cpu, BigInt(PAGE), false).write).toBe(true)
    cpu.userMode()
    cpu.page(PAGE, Pte.P | Pte.U)
    expect(cpu.translate(BigInt(PAGE), WRITE)).toBe('fault')
  })

  test('the user table serves only CPL 3', () => {
    const cpu = new TestProcessor().longMode().userMode()
    cpu.translate(BigInt(At.DATA), WRITE)
    expect(slot(cpu, BigInt(At.DATA), true)).toEqual({ read: true, write: true, host: RAM_BASE + At.DATA })
    expect(slot(cpu, BigInt(At.DATA), false).read).toBe(false)
    expect(cpu.system.mmu.translateSystem(At.GDT, 0, READ)).toBe(RAM_BASE + At.GDT)
    expect(slot(cpu, BigInt(At.GDT), true).read).toBe(false)
  })

  test('2 MiB and 1 GiB pages', () => {
    const cpu = new TestProcessor().longMode()
    cpu.memory.writeU64(At.PD + 8, 0x200000n | Pte.P | Pte.W | Pte.PS)
    cpu.memory.writeU64(At.PDPT + 8, Pte.P | Pte.W | Pte.PS)
    expect(cpu.translate(0x2abcden, WRITE)).toBe(0x2abcden)
    expect(cpu.entry(At.PD + 8) & (Pte.A | Pte.D)).toBe(Pte.A | Pte.D)
    expect(cpu.translate(0x4012_3456n, READ)).toBe(0x123456n)
    cpu.memory.writeU64(At.PD + 8, 0x202000n | Pte.P | Pte.PS)
    cpu.system.mmu.invalidateAll()
    expect(cpu.translate(0x200000n, READ)).toBe('fault')
    expect(cpu.fault.error).toBe(9)
  })

  test('INVLPG of one address of a large page forgets all of it', () => {
    const cpu = new TestProcessor().longMode()
    cpu.memory.writeU64(At.PD + 8, 0x200000n | Pte.P | Pte.PS)
    cpu.translate(0x200000n, READ)
    cpu.translate(0x3ff000n, READ)
    cpu.translate(0x1000n, READ)
    cpu.system.mmu.invalidatePage(0x234567, 0)
    expect(slot(cpu, 0x200000n, false).read || slot(cpu, 0x3ff000n, false).read).toBe(false)
    expect(slot(cpu, 0x1000n, false).read).toBe(true)
  })

  test('high half, and what is not canonical', () => {
    const cpu = new TestProcessor().longMode()
    cpu.memory.writeU64(At.PML4 + 511 * 8, BigInt(At.PDPT) | 3n)
    cpu.memory.writeU64(At.PDPT + 510 * 8, BigInt(At.PD) | 3n)
    expect(cpu.translate(0xffff_ffff_8005_0123n, READ)).toBe(0x50123n)
    expect(cpu.translate(0x0000_8000_0000_0000n, READ)).toBe('fault')
    expect(cpu.fault).toEqual({ vector: 13, error: 0 })
    expect(cpu.translate(0x0000_8000_0000_0000n, READ | ACCESS_STACK)).toBe('fault')
    expect(cpu.fault).toEqual({ vector: 12, error: 0 })
  })

  test('no address, canonical or not, hits an empty slot', () => {
    const cpu = new TestProcessor().longMode()
    for (let page = 0; page < TLB_ENTRIES; page++) {
      const at = TLB_SUPERVISOR + page * 32
      for (const tag of [cpu.u64(at), cpu.u64(at + 8)]) expect(Number((tag >> 12n) % BigInt(TLB_ENTRIES))).not.toBe(page)
    }
  })

  test('a table outside RAM reads as not present', () => {
    const cpu = new TestProcessor().longMode()
    cpu.memory.writeU64(At.PD, 0x7000000n | 3n)
    expect(cpu.translate(BigInt(PAGE), READ)).toBe('fault')
    expect(cpu.fault.error).toBe(0)
    cpu.memory.writeU64(At.PD, 0x100000000n | 3n)
    expect(cpu.translate(BigInt(PAGE), READ)).toBe('fault')
  })

  test('a mapping of device memory has its full physical address', () => {
    const cpu = new TestProcessor().longMode()
    cpu.memory.writeU64(PAGE_ENTRY, 0x12_fee0_0000n | Pte.P)
    expect(cpu.translate(BigInt(PAGE + 0x30), READ)).toBe('mmio')
    expect(cpu.u64(State.SLOW_PA)).toBe(0x12_fee0_0030n)
  })

  test('pages with code have no write tag, and lose it when code comes', () => {
    const cpu = new TestProcessor().longMode()
    cpu.translate(BigInt(PAGE), WRITE)
    cpu.memory.codePages[PAGE >> 12] = 1
    cpu.system.mmu.dropWriteTags(PAGE >> 12)
    expect(slot(cpu, BigInt(PAGE), false)).toMatchObject({ read: true, write: false })
    expect(cpu.translate(BigInt(PAGE), WRITE)).toBe(BigInt(PAGE))
    expect(slot(cpu, BigInt(PAGE), false).write).toBe(false)
  })

  test('a page table with code in it is announced before its accessed bits change', () => {
    const cpu = new TestProcessor().longMode()
    const announced: number[] = []
    cpu.memory.codePages[At.PT >> 12] = 1
    cpu.memory.onCodeWrite = (address) => announced.push(address)
    cpu.translate(BigInt(PAGE), READ)
    cpu.translate(BigInt(PAGE), READ)
    expect(announced).toEqual([PAGE_ENTRY])
  })

  test('flushes forget everything, few pages or many, and make the jump cache stale', () => {
    for (const pages of [3, 400]) {
      const cpu = new TestProcessor().longMode()
      for (let page = 0; page < pages; page++) cpu.translate(BigInt(page << 12), READ)
      const generation = cpu.u32(State.JUMP_GENERATION)
      cpu.system.mmu.invalidateAll()
      expect(cpu.u32(State.JUMP_GENERATION)).not.toBe(generation)
      for (let page = 0; page < pages; page++) expect(slot(cpu, BigInt(page << 12), false).read).toBe(false)
    }
  })

  test('a probe changes nothing', () => {
    const cpu = new TestProcessor().longMode()
    expect(cpu.system.mmu.probe(PAGE + 1, 0, WRITE, false)).toBe(PAGE + 1)
    expect(cpu.system.mmu.probe(PAGE, 0, READ, true)).toBe(-1)
    expect(cpu.entry(PAGE_ENTRY) & (Pte.A | Pte.D)).toBe(0n)
    expect(slot(cpu, BigInt(PAGE), false).read).toBe(false)
    expect(cpu.fault.vector).toBe(-1)
  })
})

describe('PAE paging', () => {
  function pae() {
    const cpu = new TestProcessor().protectedMode()
    cpu.memory.writeU64(At.PDPT, BigInt(At.PD) | 1n)
    cpu.memory.writeU64(At.PD, BigInt(At.PT) | 7n)
    cpu.memory.writeU64(At.PD + 8, 0x200000n | Pte.P | Pte.W | Pte.PS)
    cpu.memory.writeU64(PAGE_ENTRY, BigInt(PAGE) | Pte.P | Pte.W)
    cpu.setU64(State.CR3, At.PDPT)
    cpu.setU64(State.CR4, Cr4.PAE)
    cpu.setU64(State.EFER, Efer.NXE)
    cpu.setU64(State.CR0, BigInt((Cr0.PE | Cr0.PG | Cr0.WP) >>> 0))
    cpu.system.mmu.invalidateAll()
    return cpu
  }
  test('4 KiB and 2 MiB pages, accessed bits below the first level', () => {
    const cpu = pae()
    expect(cpu.translate(BigInt(PAGE), WRITE)).toBe(BigInt(PAGE))
    expect(cpu.translate(0x223456n, READ)).toBe(0x223456n)
    expect(cpu.entry(At.PDPT)).toBe(BigInt(At.PD) | 1n)
    expect(cpu.entry(At.PD) & Pte.A).toBe(Pte.A)
    expect(cpu.entry(PAGE_ENTRY) & (Pte.A | Pte.D)).toBe(Pte.A | Pte.D)
  })
  test('NX works, bits 62 to 52 are reserved', () => {
    const cpu = pae()
    cpu.memory.writeU64(PAGE_ENTRY, BigInt(PAGE) | Pte.P | Pte.NX)
    expect(cpu.translate(BigInt(PAGE), EXECUTE)).toBe('fault')
    expect(cpu.fault.error).toBe(0x11)
    cpu.memory.writeU64(PAGE_ENTRY, BigInt(PAGE) | Pte.P | (1n << 52n))
    expect(cpu.translate(BigInt(PAGE), READ)).toBe('fault')
    expect(cpu.fault.error).toBe(9)
  })
  test('reserved bits of the four first entries are found when they are loaded', () => {
    const cpu = pae()
    expect(cpu.system.mmu.pdptesValid(At.PDPT)).toBe(true)
    cpu.memory.writeU64(At.PDPT + 8, BigInt(At.PD) | 3n)
    expect(cpu.system.mmu.pdptesValid(At.PDPT)).toBe(false)
  })
})

describe('32-bit paging', () => {
  function twoLevels() {
    const cpu = new TestProcessor().protectedMode()
    cpu.memory.writeU32(At.PD, At.PT | 7)
    cpu.memory.writeU32(At.PD + 4, 0x000000 | 0x83)
    cpu.memory.writeU32(At.PT + (PAGE >> 12) * 4, PAGE | 1)
    cpu.setU64(State.CR3, At.PD)
    cpu.setU64(State.CR4, Cr4.PSE)
    cpu.setU64(State.CR0, BigInt((Cr0.PE | Cr0.PG | Cr0.WP) >>> 0))
    cpu.system.mmu.invalidateAll()
    return cpu
  }
  test('4 KiB pages', () => {
    const cpu = twoLevels()
    expect(cpu.translate(BigInt(PAGE + 4), READ)).toBe(BigInt(PAGE + 4))
    expect(cpu.memory.readU32(At.PT + (PAGE >> 12) * 4)).toBe(PAGE | 0x21)
    expect(cpu.translate(BigInt(PAGE), WRITE)).toBe('fault')
    expect(cpu.fault.error).toBe(3)
    expect(cpu.translate(0n, EXECUTE)).toBe('fault')
    expect(cpu.fault.error).toBe(0)
  })
  test('4 MiB pages with PSE, their high address bits, and tables without it', () => {
    const cpu = twoLevels()
    expect(cpu.translate(0x567890n, WRITE)).toBe(0x167890n)
    expect(cpu.memory.readU32(At.PD + 4)).toBe(0xe3)
    cpu.memory.writeU32(At.PD + 8, 0x83 | (1 << 13))
    expect(cpu.translate(0x812345n, READ)).toBe('mmio')
    expect(cpu.u64(State.SLOW_PA)).toBe(0x1_0001_2345n)
    cpu.memory.writeU32(At.PD + 8, 0x83 | (1 << 21))
    cpu.system.mmu.invalidateAll()
    expect(cpu.translate(0x812345n, READ)).toBe('fault')
    expect(cpu.fault.error).toBe(9)
    cpu.setU64(State.CR4, 0)
    cpu.memory.writeU32(At.PD + 8, At.PT | 0x83)
    cpu.system.mmu.invalidateAll()
    expect(cpu.translate(BigInt(0x800000 + PAGE), READ)).toBe(BigInt(PAGE))
  })
})

describe('what makes the jump cache stale', () => {
  const G = 1n << 8n
  function fetching(bits: bigint, pge = true) {
    const cpu = new TestProcessor().longMode()
    if (pge) cpu.setU64(State.CR4, cpu.u64(State.CR4) | BigInt(Cr4.PGE))
    cpu.page(PAGE, bits)
    cpu.system.mmu.invalidateAll()
    cpu.translate(BigInt(PAGE), EXECUTE)
    const before = cpu.u32(State.JUMP_GENERATION)
    return { cpu, isStale: () => cpu.u32(State.JUMP_GENERATION) !== before }
  }
  const reloadCr3 = (cpu: TestProcessor): void => cpu.system.control.writeCr3(Number(cpu.u64(State.CR3)), 0)

  test('INVLPG of a page that code was fetched from, and of no other', () => {
    const { cpu, isStale } = fetching(Pte.P | Pte.W)
    cpu.translate(BigInt(PAGE + 0x1000), READ)
    cpu.system.mmu.invalidatePage(PAGE + 0x1000, 0)
    expect(isStale()).toBe(false)
    cpu.system.mmu.invalidatePage(PAGE + 0x123, 0)
    expect(isStale()).toBe(true)
  })

  test('INVLPG anywhere in a large page with code', () => {
    const cpu = new TestProcessor().longMode()
    cpu.memory.writeU64(At.PD, Pte.P | Pte.W | 0x80n)
    cpu.system.mmu.invalidateAll()
    cpu.translate(0x1000n, EXECUTE)
    const before = cpu.u32(State.JUMP_GENERATION)
    cpu.system.mmu.invalidatePage(0x200000, 0)
    expect(cpu.u32(State.JUMP_GENERATION)).toBe(before)
    cpu.system.mmu.invalidatePage(0x1f0000, 0)
    expect(cpu.u32(State.JUMP_GENERATION)).not.toBe(before)
  })

  test('MOV CR3, unless all the code is in global pages (SDM vol. 3, 4.10.4.1)', () => {
    const global = fetching(Pte.P | Pte.W | G)
    reloadCr3(global.cpu)
    expect(global.isStale()).toBe(false)
    const local = fetching(Pte.P | Pte.W)
    reloadCr3(local.cpu)
    expect(local.isStale()).toBe(true)
    const withoutPge = fetching(Pte.P | Pte.W | G, false)
    reloadCr3(withoutPge.cpu)
    expect(withoutPge.isStale()).toBe(true)
  })

  test('MOV CR3 always for user code, and a change of CR4.PGE for all', () => {
    const { cpu, isStale } = fetching(Pte.P | Pte.W | G)
    cpu.userMode()
    const user = cpu.u32(State.JUMP_GENERATION)
    reloadCr3(cpu)
    expect(cpu.u32(State.JUMP_GENERATION)).not.toBe(user)
    const other = fetching(Pte.P | Pte.W | G)
    other.cpu.system.control.writeCr4(Number(other.cpu.u64(State.CR4)) & ~Cr4.PGE, 0)
    expect([isStale(), other.isStale()]).toEqual([true, true])
  })
})
