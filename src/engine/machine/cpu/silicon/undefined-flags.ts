import { ARITHMETIC_FLAGS, Rflag } from '../state.ts'

/** What an instruction does with flags, as far as it matters for comparing: which ones it leaves undefined. */
interface Facts {
  /** Bytes of the operand. */
  size: number
  /** Shift or rotate count, masked; undefined when it is not known beforehand. */
  count: number | undefined
}

const { CF, PF, AF, ZF, SF, OF } = Rflag

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
    // A count beyond the operand's size leaves all flags undefined, and the result.
    case 'shld': case 'shrd':
      return unlessZero(count === undefined || count > bits ? ARITHMETIC_FLAGS : AF | (count === 1 ? 0 : OF))
    default:
      return 0
  }
}
