import type { Definition } from './definition.ts'

/**
 * One line of the instruction table: which encoding means which definition.
 *
 * An opcode is written as the manual writes it: an optional mandatory prefix (`NP`, `66`, `F3`, `F2`), the bytes, and
 * `/n` for an opcode extension in ModRM.reg. Operands use the codes of SDM vol. 2, appendix A.2:
 * addressing E (r/m), G (reg), Z (register in the opcode's low bits), A (accumulator), I (immediate), J (relative),
 * O (absolute offset), M (memory only), R (register only), V and W (XMM reg and r/m), U (XMM r/m, register only),
 * P and Q (MMX reg and r/m), N (MMX r/m, register only), CL, D (the port in DX); sizes b w d q, v (16, 32 or 64 by
 * operand size), z (16 or 32), y (32 or 64), x (128 bits).
 */
export interface Row {
  opcode: string
  operands: string
  definition: Definition
  /** Default operand size in 64-bit mode is 64 bits (`default`), or always (`forced`). */
  wide?: 'default' | 'forced'
  /** Only with a memory, or only with a register, r/m operand. */
  form?: 'memory' | 'register'
  /** Not in 64-bit mode, or only there. */
  mode?: 'legacy' | 'long'
  /** Operand size when no operand says it, in bytes; else that of operand 0. */
  size?: 1 | 2 | 4 | 8 | 16 | 'v'
  /** With a REP (F3) or REPNE (F2) prefix, these instead. */
  rep?: Definition
  repne?: Definition
  /** Only with REX.W. */
  rexW?: true
  /** Second immediate after the first (ENTER), or a far pointer. */
  extra?: 1 | 2
}
