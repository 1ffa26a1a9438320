/**
 * Instructions that change what the processor is rather than what its registers hold. They are defined once, in
 * TypeScript (system.ts); tier 0 calls them by these numbers and translated regions leave to tier 0 before them.
 */
export const SystemOp = {
  HLT: 0,
  CLI: 1,
  STI: 2,
  LGDT: 3,
  LIDT: 4,
  SGDT: 5,
  SIDT: 6,
  LLDT: 7,
  LTR: 8,
  SLDT: 9,
  STR: 10,
  LMSW: 11,
  SMSW: 12,
  INVLPG: 13,
  MOV_TO_CR: 14,
  MOV_FROM_CR: 15,
  MOV_TO_DR: 16,
  MOV_FROM_DR: 17,
  MOV_TO_SREG: 18,
  RDMSR: 19,
  WRMSR: 20,
  RDTSC: 21,
  RDTSCP: 22,
  CPUID: 23,
  INT: 24, // SYS_IMM: vector
  INT3: 25,
  INTO: 26,
  INT1: 27,
  IRET: 28,
  SYSCALL: 29,
  SYSRET: 30,
  SWAPGS: 31,
  JMP_FAR: 32, // SYS_IMM: offset, SYS_VALUE: selector
  CALL_FAR: 33,
  RET_FAR: 34, // SYS_IMM: bytes to release
  PUSHF: 35,
  POPF: 36,
  IN: 37, // SYS_IMM: port, SYS_SIZE: bytes; result to AL/AX/EAX
  OUT: 38, // the same, value from AL/AX/EAX
  HYPERCALL: 39, // VMCALL, 0F 01 C1
  CLTS: 40,
  WBINVD: 41,
  UD: 42, // UD2 and everything undefined
  FXSAVE: 43,
  FXRSTOR: 44,
  LDMXCSR: 45,
  STMXCSR: 46,
  XGETBV: 47,
  POP_SREG: 48, // SYS_REG: segment
  PUSH_SREG: 49,
  FWAIT: 50,
  MOV_FROM_SREG_MEM: 51,
  LAHF: 52,
  SAHF: 53,
  BOUND: 54,
  LES: 55, // SYS_REG: register for the offset
  LDS: 56,
  LSS: 57,
  LFS: 58,
  LGS: 59,
  SSE_UNUSABLE: 60, // any SSE instruction while CR0 or CR4 forbid it: #UD or #NM
  /** x87 instructions by their escape opcode. */
  X87_D8: 61,
  X87_D9: 62,
  X87_DA: 63,
  X87_DB: 64,
  X87_DC: 65,
  X87_DD: 66,
  X87_DE: 67,
  X87_DF: 68,
  MMX_UNUSABLE: 69, // the same for MMX
  XSETBV: 70,
  XSAVE: 71,
  XRSTOR: 72,
  ENTER: 73, // with levels; SYS_IMM: bytes, SYS_VALUE: levels
  INS: 74, // SYS_EA: which bits its addresses have
  REP_INS: 75,
  OUTS: 76,
  REP_OUTS: 77,
  LAR: 78, // SYS_VALUE: selector, SYS_REG: destination
  LSL: 79,
  VERR: 80,
  VERW: 81,
  SYSENTER: 82,
  SYSEXIT: 83,
} as const
export type SystemOp = (typeof SystemOp)[keyof typeof SystemOp]
