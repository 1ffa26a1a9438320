import { ARITHMETIC_FLAGS, Rflag } from '../state.ts'

/** What an instruction does with flags, as far as it matters for comparing: which ones it leaves undefined. */
interface Facts {
  /** Bytes of the operand. */
  size: number
  /** Shift or rotate count, masked; undefined when it is not known beforehand. */
  count: number | undefined
}

const { CF, PF, AF, ZF, SF, OF } = Rflag

/**
 * Flags after a fault inside the instruction that are not compared. A repeated CMPS or SCAS gets back those from before its
 * first repetition (SDM vol. 2, REP); here it keeps those of the last one. The instruction is restarted and sets them all.
 */
export function flagsNotRestored(name: string): number {
  return name === 'cmps' || name === 'scas' ? ARITHMETIC_FLAGS : 0
}

/** Flags that the manual (SDM vol. 2, "Flags Affected" of each instruction) leaves undefined. */
export function undefinedFlags(name: string, { size, count }: Facts): number {
  const bits = size * 8
  const unlessZero = (flags: number): number => (count === 0 ? 0 : flags)
  switch (name) {
    case 'and': case 'or': case 'xor': case 'test':
      return AF
    case 'mul': case 'imul1': case 'imul2': case 'imul3':
      return SF | ZF | AF | PF
    case 'div': case 'idiv':
      return ARITHMETIC_FLAGS
    case 'bsf': case 'bsr':
      return CF | OF | SF | AF | PF
    case 'bt': case 'bts': case 'btr': case 'btc': case 'btm': case 'btsm': case 'btrm': case 'btcm':
      return OF | SF | AF | PF
    // OF only for a count of 1; CF undefined when SHL or SHR shift everything out.
    case 'shl': case 'shr': case 'sar': {
      const carry = name !== 'sar' && (count === undefined || count > bits) ? CF : 0
      return unlessZero(AF | (count === 1 ? 0 : OF) | carry)
    }
    case 'rol': case 'ror': case 'rcl': case 'rcr':
      return unlessZero(count === 1 ? 0 : OF)
    // A count beyond the operand's size leaves all flags undefined.
    case 'shld': case 'shrd':
      return unlessZero(count === undefined || count > bits ? ARITHMETIC_FLAGS : AF | (count === 1 ? 0 : OF))
    case 'daa': case 'das':
      return OF
    case 'aaa': case 'aas':
      return OF | SF | ZF | PF
    case 'aam': case 'aad':
      return OF | AF | CF
    default:
      return 0
  }
}

/** Whether the destination is undefined too: a double shift by more than the operand's size, BSWAP of 16 bits. */
export function hasUndefinedResult(name: string, { size, count }: Facts): boolean {
  if (name === 'bswap') return size === 2
  return (name === 'shld' || name === 'shrd') && size === 2 && (count === undefined || count > 16)
}

/** RCP and RSQRT, whose results are only near to those of others. */
export function isApproximate(name: string): boolean {
  return name.startsWith('rcpp') || name.startsWith('rcps') || name.startsWith('rsqrt')
}
