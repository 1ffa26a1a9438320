/**
 * What a case and its outcome look like to both processors: the bytes of `struct record` in runner.c, little-endian.
 *
 * Before: registers, flags, XMM, x87, code and the window of memory. After: the same, with RIP, and what trapped. Code always
 * ends in a trap, at the latest in the INT3s behind it.
 */
export const RECORD_BYTES = 1208
export const At = {
  /** RAX RCX RDX RBX RSP RBP RSI RDI R8–R15, u64 each. */
  GPR: 0,
  RFLAGS: 128,
  RIP: 136,
  CODE_LENGTH: 144,
  CODE: 152,
  XMM: 256,
  WINDOW: 512,
  VECTOR: 1024,
  ERROR: 1028,
  CR2: 1032,
  /** u32, hash of the data pages around the window, which start as 0. */
  OUTSIDE: 1040,
  MXCSR: 1044,
  /** The x87's part of FXSAVE's area, FX_BYTES of it; MXCSR and its mask in there are 0. */
  FX: 1048,
} as const

export const FX_BYTES = 160
/** Where MXCSR and its mask are in FXSAVE's area. */
export const FX_MXCSR = { from: 24, to: 32 } as const
export const CODE_BYTES_MAX = 104
/** Linear addresses; all of them are the same natively and in the emulator, and what lies around is not mapped. */
export const CODE_ADDRESS = 0x200000
export const DATA_ADDRESS = 0x210000
export const DATA_BYTES = 0x2000
export const READ_ONLY_ADDRESS = 0x214000
export const UNMAPPED_ADDRESS = 0x218000
/** The window straddles a page boundary. */
export const WINDOW_ADDRESS = 0x210f00
export const WINDOW_BYTES = 512

/** FNV-1a over the words of the data pages that are not in the window. `data` starts at DATA_ADDRESS. */
export function outsideHash(data: Uint32Array): number {
  const first = (WINDOW_ADDRESS - DATA_ADDRESS) >> 2
  const last = first + (WINDOW_BYTES >> 2)
  let hash = 0x811c9dc5
  for (let index = 0; index < DATA_BYTES >> 2; index++) {
    if (index === first) index = last
    hash = Math.imul(hash ^ data[index], 0x01000193)
  }
  return hash >>> 0
}
