/** Receive address filters: RAL and RAH, MTA, and the promiscuous bits of RCTL (the manual, 3.2.1, 13.4.22 and 13.5). */
import { MTA_REGISTERS, Rah, Rctl, RECEIVE_ADDRESSES, Register, type RegisterMap } from './registers.ts'
import { isBroadcast, isGroup } from './statistics.ts'

/** How far the last 16 bits of the address are shifted for each RCTL.MO: bits 47:36, 46:35, 45:34 or 43:32 (13.5.1). */
const MTA_SHIFTS = [4, 3, 2, 0] as const
const MTA_INDEX = 0xfff

/** `inexact`: only the multicast hash let it pass, so that software has to look (PIF, 3.2.3.1). */
export type FilterResult = 'reject' | 'exact' | 'inexact'

export class AddressFilter {
  readonly #warn: (message: string) => void
  readonly #mta = new Uint32Array(MTA_REGISTERS)
  readonly #ral = new Uint32Array(RECEIVE_ADDRESSES)
  readonly #rah = new Uint32Array(RECEIVE_ADDRESSES)

  constructor(warn: (message: string) => void) {
    this.#warn = warn
  }

  /** The first receive address comes from the EEPROM. */
  reset(address: Uint16Array): void {
    this.#mta.fill(0)
    this.#ral.fill(0)
    this.#rah.fill(0)
    this.#ral[0] = address[0] | (address[1] << 16)
    this.#rah[0] = address[2] | Rah.AV
  }

  addTo(registers: RegisterMap): void {
    for (let i = 0; i < MTA_REGISTERS; i++) {
      registers.set(Register.MTA + 4 * i, { name: `MTA[${i}]`, read: () => this.#mta[i], write: (value) => (this.#mta[i] = value) })
    }
    for (let i = 0; i < RECEIVE_ADDRESSES; i++) {
      registers.set(Register.RAL + 8 * i, { name: `RAL[${i}]`, read: () => this.#ral[i], write: (value) => (this.#ral[i] = value) })
      registers.set(Register.RAH + 8 * i, {
        name: `RAH[${i}]`,
        read: () => this.#rah[i],
        write: (value) => {
          if ((value & Rah.AS) !== 0) this.#warn(`RAH[${i}].AS = ${(value & Rah.AS) >>> 16} is not implemented: it selects the destination`)
          this.#rah[i] = value
        },
      })
    }
  }

  test(frame: Uint8Array, rctl: number): FilterResult {
    if (isBroadcast(frame)) return (rctl & (Rctl.BAM | Rctl.MPE)) !== 0 ? 'exact' : 'reject'
    if (this.#matches(frame)) return 'exact'
    if (!isGroup(frame)) return (rctl & Rctl.UPE) !== 0 ? 'exact' : 'reject'
    if ((rctl & Rctl.MPE) !== 0) return 'exact'
    const shift = MTA_SHIFTS[(rctl >>> Rctl.MO_SHIFT) & 3]
    const index = (((frame[5] << 8) | frame[4]) >> shift) & MTA_INDEX
    return (this.#mta[index >> 5] & (1 << (index & 31))) !== 0 ? 'inexact' : 'reject'
  }

  #matches(frame: Uint8Array): boolean {
    const low = (frame[0] | (frame[1] << 8) | (frame[2] << 16) | (frame[3] << 24)) >>> 0
    const high = frame[4] | (frame[5] << 8)
    for (let i = 0; i < RECEIVE_ADDRESSES; i++)
      if ((this.#rah[i] & Rah.AV) !== 0 && this.#ral[i] === low && (this.#rah[i] & 0xffff) === high) return true
    return false
  }
}
