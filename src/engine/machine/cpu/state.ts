/**
 * The layout of one machine's WebAssembly memory: processor state, software TLB, caches, then guest RAM.
 *
 * Every tier, the system instructions in TypeScript and the inspectors read and write the same bytes, so this file is
 * the one place that says where they are. All offsets are in bytes from the start of the `WebAssembly.Memory`.
 */

/** Processor registers and the scratch words through which Wasm and TypeScript hand each other 64-bit values. */
export const State = {
  /** RAX RCX RDX RBX RSP RBP RSI RDI R8–R15, one u64 each, in encoding order. */
  GPR: 0x400,
  /** u64, address of the instruction being executed; after it, of the next one. */
  RIP: 0x480,
  /** u64, always 0: what an absent base or index register reads. */
  ZERO: 0x488,
  /** u32, RFLAGS without CF PF AF ZF SF OF: IF, DF, TF, IOPL, NT, RF, AC, ID and the fixed bit 1. */
  SYSFLAGS: 0x490,
  /** u32, which operation the lazy arithmetic flags come from (see flags.ts). */
  CC_OP: 0x494,
  /** u64, first operand of that operation. */
  CC_A: 0x498,
  /** u64, second operand. */
  CC_B: 0x4a0,
  /** u64, result; for CcKind.Explicit the six flag bits themselves. */
  CC_R: 0x4a8,
  /** i32, instructions still allowed before `run` must return. */
  REMAINING: 0x4b0,
  /** u32, current privilege level 0–3. */
  CPL: 0x4b4,
  /** u32, the mode key: ModeBit flags; decides how code is decoded and which TLB serves data. */
  MODE: 0x4b8,
  /** u32, generation of the jump cache and, in its low eight bits, MODE: an entry serves while both are what they were. */
  JUMP_GENERATION: 0x4bc,
  /** u32, non-zero asks `run` to return at the next block boundary. */
  STOP: 0x4c0,
  /** u32, Activity bits. */
  ACTIVITY: 0x4c4,
  /** u32, a Shadow while interrupts are held off for one instruction, else 0. */
  SHADOW: 0x4c8,
  /** i32, vector of the exception waiting for delivery, -1 for none. */
  FAULT_VECTOR: 0x4cc,
  /** u32, its error code. */
  FAULT_ERROR: 0x4d0,

  /** u64, linear address for `translate` and for MMIO. */
  SLOW_VA: 0x4d8,
  /** u64, physical address that `translate` found for a page that is not RAM. */
  SLOW_PA: 0x4e0,
  /** u64, the value of an MMIO or port access. */
  SLOW_VALUE: 0x4e8,

  /** u64, linear address of a system instruction's memory operand. */
  SYS_EA: 0x4f0,
  /** u64, value of its register operand (r/m when that is a register). */
  SYS_VALUE: 0x4f8,
  /** u64, its immediate. */
  SYS_IMM: 0x500,
  /** u64, address of the instruction after it. */
  SYS_NEXT_RIP: 0x508,
  /** u32, ModRM.reg (with REX.R). */
  SYS_REG: 0x510,
  /** u32, ModRM.rm (with REX.B) when it names a register, else -1. */
  SYS_RM: 0x514,
  /** u32, operand size in bytes. */
  SYS_SIZE: 0x518,
  /** u32, As.STACK (system/linear.ts) when its memory operand is SS's, else 0. */
  SYS_AS: 0x51c,

  CR0: 0x520,
  CR2: 0x528,
  CR3: 0x530,
  CR4: 0x538,
  CR8: 0x540,
  EFER: 0x548,
  STAR: 0x550,
  LSTAR: 0x558,
  CSTAR: 0x560,
  FMASK: 0x568,
  KERNEL_GS_BASE: 0x570,
  SYSENTER_CS: 0x578,
  SYSENTER_ESP: 0x580,
  SYSENTER_EIP: 0x588,
  PAT: 0x590,
  APIC_BASE: 0x598,
  TSC_AUX: 0x5a0,
  DR: 0x5a8, // DR0–DR7, one u64 each
  GDTR_BASE: 0x5e8,
  IDTR_BASE: 0x5f0,
  /** u32 each. */
  GDTR_LIMIT: 0x5f8,
  IDTR_LIMIT: 0x5fc,
  /** u32, SSE control and status. */
  MXCSR: 0x6c8,
  /** i64, what WRMSR to IA32_TIME_STAMP_COUNTER added to the virtual clock. */
  TSC_OFFSET: 0x6d0,
  /** u32 each, what JUMP_GENERATION counts from at CPL 0–2 and at CPL 3; multiples of MODES. */
  GENERATION_SUPERVISOR: 0x6d8,
  GENERATION_USER: 0x6dc,
  /** u32, extended control register 0: which parts of the state XSAVE takes. */
  XCR0: 0x6e0,
  /** XMM0–XMM15, 16 bytes each. */
  XMM: 0x700,
  /** 64 bytes where accesses that cross a page or hit a device are put together. */
  BOUNCE: 0x800,
  /** The x87 FPU, as fpu/registers.ts lays it out: 512 bytes. */
  FPU: 0x840,
  /** Operands, result (16 bytes each) and immediate (u32) of an SSE instruction that float/unit.ts executes. */
  FLOAT_A: 0xa40,
  FLOAT_B: 0xa50,
  FLOAT_R: 0xa60,
  FLOAT_IMMEDIATE: 0xa70,
  /** u32, FloatClass (float/unit.ts): what of MXCSR the tiers have to know. */
  FLOAT_CLASS: 0xa74,
  /** u32, where the segment base of a system instruction's memory operand is (segmentBaseAt). */
  SYS_SEGMENT: 0xa78,
  /** u64, outside 64-bit mode: which bits of RSP are the stack pointer. */
  STACK_MASK: 0xa80,
  /** u64, outside 64-bit mode: behind the last byte of the code segment. */
  CODE_END: 0xa88,
  /** Eight hidden segment registers of SEGMENT_BYTES each, in SegmentIndex order. */
  SEGMENTS: 0xa90,
  /** 256 u32, what a byte does to a CRC-32C. */
  CRC_TABLE: 0xc00,
} as const

/** Debug register 7, and its enables, L0 G0 to L3 G3: any of them is a breakpoint that is on. */
export const DR7 = State.DR + 7 * 8
export const DR7_ENABLES = 0xff

/**
 * One hidden segment register: selector u32 +0, attributes u32 +4, base u64 +8, limit u32 (in bytes, expanded) +16. Reading and writing
 * need no closer look (system/limits.ts) below an end, u64 +24 and +32: behind the limit, or 0 where the segment is not that simple.
 */
export const SEGMENT_BYTES = 40
export const SegmentField = { SELECTOR: 0, ATTRIBUTES: 4, BASE: 8, LIMIT: 16, READ_END: 24, WRITE_END: 32 } as const

/** ES CS SS DS FS GS in encoding order, then LDTR and TR. */
export const SegmentIndex = { ES: 0, CS: 1, SS: 2, DS: 3, FS: 4, GS: 5, LDTR: 6, TR: 7 } as const

/** SDM vol. 3, 24.4.1 (access rights): bits 0–3 type, 4 S, 5–6 DPL, 7 P, 12 AVL, 13 L, 14 D/B, 15 G, 16 unusable. */
export const SegmentAttribute = {
  TYPE: 0xf,
  S: 1 << 4,
  DPL_SHIFT: 5,
  P: 1 << 7,
  AVL: 1 << 12,
  L: 1 << 13,
  DB: 1 << 14,
  G: 1 << 15,
  UNUSABLE: 1 << 16,
} as const

/** Bits of State.MODE. Code decoded under one key never runs under another. */
export const ModeBit = {
  /** CS.L = 1 and EFER.LMA = 1. */
  LONG: 1,
  /** Default operand and address size is 32 bits (CS.D = 1); with neither LONG nor D32 it is 16 bits. */
  D32: 2,
  /** CPL = 3: data accesses go through the user TLB. */
  USER: 4,
  /** Outside 64-bit mode: some of CS, DS, ES, SS has a base other than 0, so that bases must be added. */
  BASED: 8,
  /** Outside 64-bit mode: the stack is 32 bits wide (SS.B = 1). */
  STACK32: 16,
  /** SSE instructions may be used: CR4.OSFXSR = 1, CR0.EM = CR0.TS = 0. Else they decode to SystemOp.SSE_UNUSABLE. */
  SSE: 32,
  /** Outside 64-bit mode: one of DS, ES, SS does not allow reading and writing everywhere, so that its limits must be asked. */
  CHECKED: 64,
  /** Outside 64-bit mode: the code segment has a limit. */
  LIMITED: 128,
} as const
/** More than any mode. */
export const MODES = 256

/** Values of State.SHADOW: after STI; after MOV SS and POP SS, where traps wait too (SDM vol. 3, 6.8.3). */
export const Shadow = { INTERRUPTS: 1, STACK: 2 } as const

/** Bits of State.ACTIVITY. A second NMI waits until the handler of the first has returned by IRET (SDM vol. 3, 6.7.1). */
export const Activity = { HALTED: 1, SHUTDOWN: 2, NMI_PENDING: 4, IN_NMI: 8 } as const

/**
 * Software TLB: two direct-mapped tables (supervisor, user) of TLB_ENTRIES entries, index = linear page number modulo
 * the size. An entry: READ tag u64 +0, WRITE tag u64 +8 (the page's linear address, or TLB_INVALID), HOST u32 +16 (offset
 * of the page in this memory). `va XOR tag`, unsigned, is the offset in the page on a hit and at least 4096 on a miss.
 */
export const TLB_ENTRIES = 1024
export const TLB_ENTRY_BYTES = 32
export const TlbField = { READ: 0, WRITE: 8, HOST: 16 } as const
export const TLB_SUPERVISOR = 0x10000
export const TLB_USER = TLB_SUPERVISOR + TLB_ENTRIES * TLB_ENTRY_BYTES
/**
 * A tag that nothing hits: its page is not that of its slot, so that the XOR with what is looked up there stays above 4096, canonical
 * or not.
 */
export const TLB_INVALID_HI = 0x40000000

/**
 * Windows (system/windows.ts): for each TLB entry, at the same index, the run of bytes around its page that reading and that writing
 * may use: linear bases u64 +0 and +8, bytes u32 +16 and +20 (WINDOW_TAIL_BYTES less than there are), DELTA i32 +24 (offset in this memory
 * minus linear address). They count while the entry's tags do.
 */
export const TLB_WINDOW_BYTES = 32
export const TLB_WINDOWS = 0x40000
export const TlbWindowField = { READ_BASE: 0, WRITE_BASE: 8, READ_BYTES: 16, WRITE_BYTES: 20, DELTA: 24 } as const

/**
 * The windows that translated code looked through last, one for each base register, kind of access and privilege: base u64 +0, bytes
 * u64 +8 (0: there is none), DELTA i32 +16, half the bytes u32 +20. An access at `va` is inside when `va - base`, unsigned, is less than
 * the bytes. No base is out of reach: `va` may not be canonical.
 */
export const WINDOW_SLOT_BYTES = 24
export const WINDOW_SLOT_COUNT = 24
export const WINDOW_SLOTS = 0x1000
export const WINDOW_SLOTS_END = WINDOW_SLOTS + 4 * WINDOW_SLOT_COUNT * WINDOW_SLOT_BYTES
/** In the same form, without halves, those found last: by reading and by writing as supervisor, by reading and by writing as user. */
export const LAST_WINDOWS = WINDOW_SLOTS_END
export const LAST_WINDOWS_END = LAST_WINDOWS + 4 * WINDOW_SLOT_BYTES
export const WindowSlotField = { BASE: 0, BYTES: 8, DELTA: 16, HALF_BYTES: 20 } as const

/** What keeps an access of up to 16 bytes that begins in a window from ending behind it. */
export const WINDOW_TAIL_BYTES = 15

/** Jump cache: linear address of a block → its decoded records and, when translated, its region. */
export const JUMP_ENTRIES = 16384
export const JUMP_ENTRY_BYTES = 32
export const JUMP_CACHE = 0x60000
/** Where the pages are that code was fetched from (fetch-places.ts), stale when the jump cache is. */
export const FETCH_PLACES = JUMP_CACHE + JUMP_ENTRIES * JUMP_ENTRY_BYTES
export const FETCH_PLACES_END = FETCH_PLACES + 0x1000

/** Vectors that translated code uses as constants: V8 makes one of immediates in five instructions, and loads it in one. */
export const VECTOR_CONSTANTS = 0x2000
export const VECTOR_CONSTANTS_END = 0x4000

/** Regions' tables from code offset to entry index. */
export const ENTRY_TABLES = 0x100000
export const ENTRY_TABLES_END = 0x300000
/** Decoded instruction records of tier 0. */
export const RECORDS = 0x300000
export const RECORDS_END = 0x800000

/** Guest physical address 0. */
export const RAM_BASE = 0x800000
/** Largest RAM of one machine, in bytes: below the 32-bit PCI hole. */
export const RAM_BYTES_MAX = 0xc0000000 - RAM_BASE

/** What an access wants to do with the page. */
export const Access = { READ: 0, WRITE: 1, EXECUTE: 2 } as const

/** What `translate` answers instead of a host offset. */
export const TRANSLATE_FAULT = -1
export const TRANSLATE_MMIO = -2

/** Exception vectors, SDM vol. 3, table 6-1. */
export const Vector = {
  DE: 0, DB: 1, NMI: 2, BP: 3, OF: 4, BR: 5, UD: 6, NM: 7, DF: 8, TS: 10, NP: 11, SS: 12, GP: 13, PF: 14, MF: 16, AC: 17, MC: 18, XM: 19,
} as const

export const Rflag = {
  CF: 1, FIXED: 2, PF: 4, AF: 0x10, ZF: 0x40, SF: 0x80, TF: 0x100, IF: 0x200, DF: 0x400, OF: 0x800, IOPL: 0x3000, NT: 0x4000,
  RF: 0x10000, VM: 0x20000, AC: 0x40000, VIF: 0x80000, VIP: 0x100000, ID: 0x200000,
} as const
/** CF PF AF ZF SF OF: the flags kept lazily. */
export const ARITHMETIC_FLAGS = 0x8d5

/** Register numbers by encoding. */
export const Gpr = {
  RAX: 0, RCX: 1, RDX: 2, RBX: 3, RSP: 4, RBP: 5, RSI: 6, RDI: 7, R8: 8, R9: 9, R10: 10, R11: 11, R12: 12, R13: 13, R14: 14,
  R15: 15,
} as const

/** Virtual nanoseconds that one instruction takes: the machine runs at 500 million instructions a virtual second. */
export const NS_PER_INSTRUCTION = 2

/** Where a segment register's hidden base is. */
export const segmentBaseAt = (segment: number): number => State.SEGMENTS + segment * SEGMENT_BYTES + SegmentField.BASE
