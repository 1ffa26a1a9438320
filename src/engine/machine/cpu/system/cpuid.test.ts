import { describe, expect, test } from 'vitest'
import { decode } from '../decode.ts'
import { ModeBit, State } from '../state.ts'
import { SystemOp } from '../system-op.ts'
import { cpuid } from './cpuid.ts'
import { At, TestProcessor } from './testing.ts'
import { Cr4 } from './views.ts'

const MODE = { long: true, osxsave: true }
const LEGACY = ModeBit.D32 | ModeBit.STACK32 | ModeBit.SSE
const LONG = ModeBit.LONG | ModeBit.SSE

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text.split(' '), (byte) => Number.parseInt(byte, 16))
/** Whether the table has the encoding; 15 bytes so that nothing is cut off. */
function isThere(text: string, mode = LONG): boolean {
  const bytes = new Uint8Array(15)
  bytes.set(bytesOf(text))
  return typeof decode(bytes, 0, bytes.length, mode) !== 'string'
}

interface Feature {
  name: string
  leaf: number
  register: 'ebx' | 'ecx' | 'edx'
  bit: number
  /** Instructions that come with it. */
  encodings: readonly string[]
}
const INDEX = { ebx: 1, ecx: 2, edx: 3 } as const
const feature = (name: string, leaf: number, register: Feature['register'], bit: number, ...encodings: string[]): Feature =>
  ({ name, leaf, register, bit, encodings })

/** Features with instructions or registers of their own, by SDM vol. 2, CPUID, and the instructions that tell. */
const FEATURES: readonly Feature[] = [
  feature('SSE3', 1, 'ecx', 0, 'f2 0f 7c c1', '66 0f d0 c1', 'f3 0f 12 c1', 'f2 0f f0 00', 'db 08', 'dd 08', 'df 08'),
  feature('PCLMULQDQ', 1, 'ecx', 1, '66 0f 3a 44 c1 00'),
  feature('MONITOR', 1, 'ecx', 3, '0f 01 c8', '0f 01 c9'),
  feature('VMX', 1, 'ecx', 5, '0f 01 c2', '0f 78 c0', '0f c7 30'),
  feature('SMX', 1, 'ecx', 6, '0f 37'),
  feature('SSSE3', 1, 'ecx', 9, '66 0f 38 00 c1', '66 0f 38 1e c1', '66 0f 3a 0f c1 03', '0f 38 00 c1', '0f 3a 0f c1 03'),
  feature('FMA', 1, 'ecx', 12, 'c4 e2 f1 98 c1'),
  feature('CMPXCHG16B', 1, 'ecx', 13, '48 0f c7 08'),
  feature(
    'SSE4.1', 1, 'ecx', 19,
    '66 0f 38 10 c1', '66 0f 38 17 c1', '66 0f 38 41 c1', '66 0f 3a 0b c1 00', '66 0f 3a 40 c1 ff', '66 0f 3a 42 c1 00',
  ),
  feature('SSE4.2', 1, 'ecx', 20, '66 0f 38 37 c1', '66 0f 3a 63 c1 00', '66 0f 3a 60 c1 00', 'f2 0f 38 f1 c1', 'f2 0f 38 f0 c1'),
  feature('MOVBE', 1, 'ecx', 22, '0f 38 f0 00', '0f 38 f1 00'),
  feature('POPCNT', 1, 'ecx', 23, 'f3 0f b8 c1'),
  feature('AES', 1, 'ecx', 25, '66 0f 38 dc c1', '66 0f 3a df c1 00'),
  feature('XSAVE', 1, 'ecx', 26, '0f ae 20', '0f ae 28', '0f 01 d0', '0f 01 d1'),
  feature('AVX', 1, 'ecx', 28, 'c5 f4 58 c1', 'c4 e2 7d 18 00'),
  feature('F16C', 1, 'ecx', 29, 'c4 e2 7d 13 c1'),
  feature('RDRAND', 1, 'ecx', 30, '0f c7 f0'),
  feature('FPU', 1, 'edx', 0, 'd9 e8', 'db e3'),
  feature('TSC', 1, 'edx', 4, '0f 31'),
  feature('MSR', 1, 'edx', 5, '0f 32', '0f 30'),
  feature('CMPXCHG8B', 1, 'edx', 8, '0f c7 08'),
  feature('SYSENTER', 1, 'edx', 11, '0f 34', '0f 35'),
  feature('CMOV', 1, 'edx', 15, '0f 44 c1', 'da c1', 'db e9'),
  feature('CLFLUSH', 1, 'edx', 19, '0f ae 38'),
  feature('MMX', 1, 'edx', 23, '0f fc c1', '0f 6f 00', '0f 77'),
  feature('FXSR', 1, 'edx', 24, '0f ae 00', '0f ae 08'),
  feature('SSE', 1, 'edx', 25, '0f 58 c1', '0f ae 10', '0f ae f8', '0f 70 c1 00', '0f 2d c1'),
  feature('SSE2', 1, 'edx', 26, '66 0f 58 c1', '66 0f fe c1', '0f c3 00', '0f ae e8', 'f2 0f d6 c1', 'f3 90'),
  feature('FSGSBASE', 7, 'ebx', 0, 'f3 0f ae c0', 'f3 0f ae d0'),
  feature('BMI1', 7, 'ebx', 3, 'c4 e2 70 f2 c1'),
  feature('AVX2', 7, 'ebx', 5, 'c5 f5 fc c1'),
  feature('BMI2', 7, 'ebx', 8, 'c4 e2 f3 f6 c1'),
  feature('INVPCID', 7, 'ebx', 10, '66 0f 38 82 00'),
  feature('RTM', 7, 'ebx', 11, 'c7 f8 00 00 00 00', 'c6 f8 00', '0f 01 d5'),
  feature('RDSEED', 7, 'ebx', 18, '0f c7 f8'),
  feature('ADX', 7, 'ebx', 19, '66 0f 38 f6 c1', 'f3 0f 38 f6 c1'),
  feature('SMAP', 7, 'ebx', 20, '0f 01 ca', '0f 01 cb'),
  feature('CLFLUSHOPT', 7, 'ebx', 23, '66 0f ae 38'),
  feature('CLWB', 7, 'ebx', 24, '66 0f ae 30'),
  feature('SHA', 7, 'ebx', 29, '0f 38 c8 c1', '0f 3a cc c1 00'),
  feature('PKU', 7, 'ecx', 3, '0f 01 ee', '0f 01 ef'),
  feature('WAITPKG', 7, 'ecx', 5, 'f3 0f ae f0'),
  feature('CET_SS', 7, 'ecx', 7, 'f3 0f ae e8', '0f 01 e8'),
  feature('GFNI', 7, 'ecx', 8, '66 0f 38 cf c1'),
  feature('RDPID', 7, 'ecx', 22, 'f3 0f c7 f8'),
  feature('MOVDIRI', 7, 'ecx', 27, '0f 38 f9 00'),
  feature('SERIALIZE', 7, 'edx', 14, '0f 01 e8'),
  feature('LAHF64', 0x80000001, 'ecx', 0, '9f', '9e'),
  feature('SVM', 0x80000001, 'ecx', 2, '0f 01 d8'),
  feature('SSE4A', 0x80000001, 'ecx', 6, '66 0f 79 c1', 'f2 0f 79 c1'),
  feature('PREFETCHW', 0x80000001, 'ecx', 8, '0f 0d 08'),
  feature('XOP', 0x80000001, 'ecx', 11, '8f e8 78 c0 c1 00'),
  feature('MONITORX', 0x80000001, 'ecx', 29, '0f 01 fa'),
  feature('SYSCALL', 0x80000001, 'edx', 11, '0f 05', '0f 07'),
  feature('RDTSCP', 0x80000001, 'edx', 27, '0f 01 f9'),
  feature('LM', 0x80000001, 'edx', 29, '48 01 c8', '41 50', '0f 01 f8'),
  feature('3DNow!', 0x80000001, 'edx', 31, '0f 0f c1 9e', '0f 0e'),
]
/** Bits that come with no instruction: what else the processor has, or is. */
const OTHER: readonly (readonly [leaf: number, register: Feature['register'], bits: readonly number[]])[] = [
  [1, 'ecx', [24 /* TSC-deadline */, 27 /* OSXSAVE */, 31 /* hypervisor */]],
  [1, 'edx', [2 /* DE */, 3 /* PSE */, 6 /* PAE */, 9 /* APIC */, 13 /* PGE */, 16 /* PAT */, 17 /* PSE-36 */]],
  [7, 'ebx', [6 /* FDP_EXCPTN_ONLY */, 13 /* FCS, FDS deprecated */]],
  [0x80000001, 'edx', [20 /* NX */, 26 /* 1-GByte pages */]],
]

describe('CPUID tells what the table has', () => {
  const isSet = ({ leaf, register, bit }: Feature): boolean => ((cpuid(leaf, 0, MODE)[INDEX[register]] >> bit) & 1) === 1

  test.each(FEATURES.map((each) => [each.name, each] as const))('%s', (_name, each) => {
    expect(each.encodings.map((text) => [text, isThere(text)])).toEqual(each.encodings.map((text) => [text, isSet(each)]))
  })

  test('no bit is set that this test does not know', () => {
    for (const leaf of [1, 7, 0x80000001])
      for (const register of ['ebx', 'ecx', 'edx'] as const) {
        if (leaf === 1 && register === 'ebx') continue
        const known = FEATURES.filter((each) => each.leaf === leaf && each.register === register).map(({ bit }) => bit)
        const others = OTHER.filter(([of, where]) => of === leaf && where === register).flatMap(([, , bits]) => bits)
        const all = [...known, ...others].reduce((mask, bit) => mask | (1 << bit), 0)
        expect(cpuid(leaf, 0, MODE)[INDEX[register]] & ~all, `leaf ${leaf.toString(16)} ${register}`).toBe(0)
      }
  })

  test('what a baseline of x86-64-v2 asks for is there, and what every 64-bit Linux does', () => {
    const [, , ecx, edx] = cpuid(1, 0, MODE)
    const v2 = (1 << 0) | (1 << 9) | (1 << 13) | (1 << 19) | (1 << 20) | (1 << 23)
    expect(ecx & v2).toBe(v2)
    const linux = (1 << 0) | (1 << 3) | (1 << 5) | (1 << 6) | (1 << 8) | (1 << 13) | (1 << 15) | (1 << 24) | (1 << 25) | (1 << 26)
    expect(edx & linux).toBe(linux)
    expect(cpuid(0x80000001, 0, MODE)[3] & (1 << 29)).not.toBe(0)
  })

  test('instructions of 64-bit mode are not there outside it, and those of 32-bit code not in it', () => {
    for (const text of ['0f 01 f8', '48 0f c7 08']) expect(isThere(text)).toBe(true)
    expect(isThere('0f 01 f8', LEGACY)).toBe(false)
    for (const text of ['06', '27', '37', '60', '61', '62 00', 'c4 00', 'c5 00', 'ce', '9a 00 00 00 00 00 00', 'd4 0a'])
      expect([text, isThere(text)], text).toEqual([text, false])
  })

  test('leaf 0DH: x87 and SSE, in 576 bytes', () => {
    expect(cpuid(0xd, 0, MODE)).toEqual([3, 576, 576, 0])
    expect(cpuid(0xd, 1, MODE)).toEqual([0, 0, 0, 0])
  })

  test('OSXSAVE follows CR4', () => {
    const cpu = new TestProcessor().longMode()
    const bit = (): bigint => {
      cpu.setGpr(0, 1)
      cpu.execute(SystemOp.CPUID)
      return (cpu.gpr(1) >> 27n) & 1n
    }
    expect(bit()).toBe(0n)
    cpu.setU64(State.CR4, Cr4.PAE | Cr4.OSXSAVE)
    expect(bit()).toBe(1n)
  })
})

describe('XSAVE', () => {
  const AREA = At.DATA
  const enabled = (): TestProcessor => {
    const cpu = new TestProcessor().longMode()
    cpu.setU64(State.CR4, Cr4.PAE | Cr4.OSFXSR | Cr4.OSXSAVE)
    cpu.setGpr(0, 3)
    cpu.setGpr(1, 0)
    cpu.setGpr(2, 0)
    expect(cpu.execute(SystemOp.XSETBV)).toBe(0)
    cpu.memory.fill(AREA, 1024, 0)
    return cpu
  }
  const run = (cpu: TestProcessor, op: SystemOp, wanted: number, ea: number = AREA): number => {
    cpu.setGpr(0, wanted)
    cpu.setGpr(2, 0)
    return cpu.execute(op, { ea, size: 8 })
  }

  test('brings back what it saved, part by part', () => {
    const cpu = enabled()
    const xmm = cpu.state.u8.subarray(State.XMM, State.XMM + 256)
    xmm.forEach((_, index) => (xmm[index] = index))
    expect(run(cpu, SystemOp.XSAVE, 3)).toBe(0)
    expect(cpu.memory.readU64(AREA + 512)).toBe(3n)
    const saved = [...xmm]
    xmm.fill(0xee)
    expect(run(cpu, SystemOp.XRSTOR, 1)).toBe(0)
    expect(xmm[5]).toBe(0xee)
    expect(run(cpu, SystemOp.XRSTOR, 2)).toBe(0)
    expect([...xmm]).toEqual(saved)
    // A part whose bit in the header is clear goes to its initial state.
    cpu.memory.writeU64(AREA + 512, 1n)
    expect(run(cpu, SystemOp.XRSTOR, 3)).toBe(0)
    expect([...xmm].every((byte) => byte === 0)).toBe(true)
  })

  test('leaves what was not asked for', () => {
    const cpu = enabled()
    cpu.memory.fill(AREA, 512, 0xaa)
    expect(run(cpu, SystemOp.XSAVE, 1)).toBe(0)
    expect(cpu.memory.readU64(AREA + 512)).toBe(1n)
    expect(cpu.memory.readU64(AREA + 160)).toBe(0xaaaaaaaaaaaaaaaan)
    expect(cpu.memory.readU32(AREA + 24)).toBe(0xaaaaaaaa)
  })

  test('refuses', () => {
    const cpu = enabled()
    expect(run(cpu, SystemOp.XSAVE, 3, AREA + 16)).toBe(1)
    cpu.memory.writeU64(AREA + 512, 4n)
    expect(run(cpu, SystemOp.XRSTOR, 3)).toBe(1)
    cpu.memory.writeU64(AREA + 512, 3n)
    cpu.memory.writeU64(AREA + 520, 1n)
    expect(run(cpu, SystemOp.XRSTOR, 3)).toBe(1)
    cpu.setGpr(0, 7)
    expect(cpu.execute(SystemOp.XSETBV)).toBe(1)
    cpu.setU64(State.CR4, Cr4.PAE)
    expect(run(cpu, SystemOp.XSAVE, 3)).toBe(1)
    expect(cpu.fault.vector).toBe(6)
  })
})
