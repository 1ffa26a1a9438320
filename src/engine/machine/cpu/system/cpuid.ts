import { COMPONENTS, XSAVE_BYTES } from './extended-state.ts'
import { PHYSICAL_BITS } from './views.ts'

/**
 * What CPUID answers (SDM vol. 2, CPUID). Every bit that is set is something this processor does, and nothing else is set.
 *
 * Vendor and model: software keys on them for quirks and for mitigations of speculative execution. Family 6, model 1CH is
 * Intel's in-order Atom, which does not speculate: neither do we, so kernels that know it (Linux: NO_SPECULATION) leave their
 * mitigations off, and feature-probing libraries take their generic paths since they look at feature bits. Stepping 10 is
 * past that model's errata.
 */
const VENDOR = 'GenuineIntel'
/** Family 6, model 1CH, stepping 10. Also what EDX holds after reset. */
export const SIGNATURE = 0x106ca
const BRAND = 'Atoll x86-64 virtual processor'
const HYPERVISOR = 'AtollAtollAt'

/** The virtual clock ticks in nanoseconds, so the time stamp counter runs at 1 GHz. */
export const TSC_HZ = 1_000_000_000

/** Leaf 1, EDX. */
const Edx1 = {
  FPU: 1,
  DE: 1 << 2,
  PSE: 1 << 3,
  TSC: 1 << 4,
  MSR: 1 << 5,
  PAE: 1 << 6,
  CX8: 1 << 8,
  APIC: 1 << 9,
  SEP: 1 << 11,
  PGE: 1 << 13,
  CMOV: 1 << 15,
  PAT: 1 << 16,
  PSE36: 1 << 17,
  CLFSH: 1 << 19,
  MMX: 1 << 23,
  FXSR: 1 << 24,
  SSE: 1 << 25,
  SSE2: 1 << 26,
} as const
/** Leaf 1, ECX. Bit 31 is reserved for hypervisors: software looks for leaf 40000000H when it is set. */
const Ecx1 = {
  SSE3: 1,
  SSSE3: 1 << 9,
  CX16: 1 << 13,
  SSE4_1: 1 << 19,
  SSE4_2: 1 << 20,
  MOVBE: 1 << 22,
  POPCNT: 1 << 23,
  TSC_DEADLINE: 1 << 24,
  XSAVE: 1 << 26,
  HYPERVISOR: 1 << 31,
} as const
/** Leaf 1, ECX: CR4.OSXSAVE is set. */
const OSXSAVE = 1 << 27
/** Leaf 1, EBX: a cache line's quadwords, which is what CLFLUSH is said to act on; one logical processor; APIC id 0. */
const EBX1 = (8 << 8) | (1 << 16)
/** Leaf 7, EBX: the x87 data pointer is that of the last exception, and its segment selectors are always 0. */
const Ebx7 = { FDP_EXCPTN_ONLY: 1 << 6, FCS_FDS_DEPRECATED: 1 << 13 } as const
/** Leaf 6, EAX: the local APIC's timer runs at one rate in every state. */
const ARAT = 1 << 2
/** Leaf 80000001H. */
const Edx8 = { SYSCALL: 1 << 11, NX: 1 << 20, PAGES_1G: 1 << 26, RDTSCP: 1 << 27, LM: 1 << 29 } as const
const Ecx8 = { LAHF64: 1, PREFETCHW: 1 << 8 } as const
/** Leaf 80000007H, EDX: the time stamp counter runs at one rate in every state. */
const INVARIANT_TSC = 1 << 8

const MAX_BASIC = 0x15
const MAX_EXTENDED = 0x80000008 | 0
const MAX_HYPERVISOR = 0x40000000

const allOf = (bits: Record<string, number>): number => Object.values(bits).reduce((all, bit) => all | bit, 0)
const FEATURES = allOf(Edx1)
const MORE_FEATURES = allOf(Ecx1)
const EXTENDED_FEATURES = allOf(Edx8)
const MORE_EXTENDED_FEATURES = allOf(Ecx8)

export type CpuidLeaf = readonly [eax: number, ebx: number, ecx: number, edx: number]

/** What answers depend on. */
export interface CpuidMode {
  /** The processor is in 64-bit mode: elsewhere SYSCALL is #UD and its bit is clear. */
  long: boolean
  /** CR4.OSXSAVE. */
  osxsave: boolean
}

/**
 * @returns EAX, EBX, ECX and EDX as i32. A leaf beyond the last answers what the last basic one does, as Intel's processors do.
 */
export function cpuid(leaf: number, subleaf: number, mode: CpuidMode): CpuidLeaf {
  switch (leaf | 0) {
    case 0: return [MAX_BASIC, word(VENDOR, 0), word(VENDOR, 8), word(VENDOR, 4)]
    case 1: return [SIGNATURE, EBX1, mode.osxsave ? MORE_FEATURES | OSXSAVE : MORE_FEATURES, FEATURES]
    case 6: return [ARAT, 0, 0, 0]
    case 7: return subleaf === 0 ? [0, Ebx7.FDP_EXCPTN_ONLY | Ebx7.FCS_FDS_DEPRECATED, 0, 0] : [0, 0, 0, 0]
    // What XCR0 may hold, and the bytes of XSAVE's area, which are the same whatever it holds.
    case 0xd: return subleaf === 0 ? [COMPONENTS, XSAVE_BYTES, XSAVE_BYTES, 0] : [0, 0, 0, 0]
    case 0x15: return [1, 1, TSC_HZ, 0]
    case MAX_HYPERVISOR: return [MAX_HYPERVISOR, word(HYPERVISOR, 0), word(HYPERVISOR, 4), word(HYPERVISOR, 8)]
    case 0x80000000 | 0: return [MAX_EXTENDED, 0, 0, 0]
    case 0x80000001 | 0: return [0, 0, MORE_EXTENDED_FEATURES, mode.long ? EXTENDED_FEATURES : EXTENDED_FEATURES & ~Edx8.SYSCALL]
    case 0x80000002 | 0: case 0x80000003 | 0: case 0x80000004 | 0: {
      const at = ((leaf & 7) - 2) * 16
      return [word(BRAND, at), word(BRAND, at + 4), word(BRAND, at + 8), word(BRAND, at + 12)]
    }
    case 0x80000007 | 0: return [0, 0, 0, INVARIANT_TSC]
    case MAX_EXTENDED: return [PHYSICAL_BITS | (48 << 8), 0, 0, 0]
    default: {
      const beyond = leaf >>> 0 > MAX_BASIC && (leaf >>> 0 < 0x80000000 || leaf >>> 0 > MAX_EXTENDED >>> 0)
      return beyond ? cpuid(MAX_BASIC, 0, mode) : [0, 0, 0, 0]
    }
  }
}

/** Four characters as a little-endian word; 0 past the end. */
function word(text: string, at: number): number {
  let value = 0
  for (let i = 0; i < 4; i++) if (at + i < text.length) value |= text.charCodeAt(at + i) << (8 * i)
  return value
}
