/**
 * The transceiver inside the 82540EM, an M88E1011 at address 1, behind MDIC (the manual, 13.4.7 and 13.4.7.1).
 *
 * Auto-negotiation is over as soon as a cable is plugged in: always 1000 Mb/s, full duplex.
 */
import type { InterruptCauses } from './interrupts.ts'
import { Cause, Mdic, Register, type RegisterMap } from './registers.ts'

const PHY_ADDRESS = 1

/** Registers of IEEE 802.3 clause 22 and the vendor's, as the manual's table 13-29 names them. */
const PhyRegister = {
  PCTRL: 0,
  PSTATUS: 1,
  PHY_ID_1: 2,
  PHY_ID_2: 3,
  ANA: 4,
  LPA: 5,
  ANE: 6,
  GCON: 9,
  GSTATUS: 10,
  EPSTATUS: 15,
  PSCON: 16,
  PSSTAT: 17,
  EPSCON: 20,
} as const

const Pctrl = { RESTART: 1 << 9, AUTO_NEGOTIATION_ENABLE: 1 << 12, RESET: 1 << 15, DEFAULT: 0x1140 } as const
const Pstatus = { LINK: 1 << 2, AUTO_NEGOTIATION_COMPLETE: 1 << 5, CAPABILITIES: 0x7949 } as const
/** 1000 Mb/s, full duplex, resolved; link (real time) while there is one. */
const Psstat = { LINK: 1 << 10, RESOLVED_1000_FULL: 0xa800 } as const
/** All that a gigabit partner offers, with acknowledge. */
const LPA_GIGABIT = 0x45e1
/** The partner does 1000BASE-T, and both receivers are well. */
const GSTATUS_GIGABIT = 0x3c00

/** Registers that software writes, with what they hold after a reset. */
const WRITABLE: readonly (readonly [register: number, initial: number])[] = [
  [PhyRegister.PCTRL, Pctrl.DEFAULT],
  [PhyRegister.ANA, 0x0de1],
  [PhyRegister.GCON, 0x0e00],
  [PhyRegister.PSCON, 0x0360],
  [PhyRegister.EPSCON, 0x0d60],
]

export class Phy {
  readonly #causes: InterruptCauses
  readonly #cable: () => boolean
  readonly #warn: (message: string) => void
  readonly #registers = new Map(WRITABLE)
  #mdic = Mdic.R as number

  constructor(causes: InterruptCauses, cable: () => boolean, warn: (message: string) => void) {
    this.#causes = causes
    this.#cable = cable
    this.#warn = warn
  }

  /** CTRL.PHY_RST, or bit 15 of its own control register. A reset of the controller leaves it alone. */
  reset(): void {
    for (const [register, initial] of WRITABLE) this.#registers.set(register, initial)
  }

  addTo(registers: RegisterMap): void {
    registers.set(Register.MDIC, { name: 'MDIC', read: () => this.#mdic, write: (value) => this.#writeMdic(value) })
  }

  /** The transaction ends at once: R is set when the guest looks. */
  #writeMdic(value: number): void {
    const register = (value >>> Mdic.REGADD_SHIFT) & 31
    const address = (value >>> Mdic.PHYADD_SHIFT) & 31
    const operation = (value >>> Mdic.OP_SHIFT) & 3
    this.#mdic = (value & ~Mdic.E) | Mdic.R
    if (address !== PHY_ADDRESS) this.#mdic |= Mdic.E
    else if (operation === Mdic.OP_READ) this.#mdic = (this.#mdic & ~0xffff) | this.#read(register)
    else if (operation === Mdic.OP_WRITE) this.#write(register, value & 0xffff)
    else this.#mdic |= Mdic.E
    this.#mdic >>>= 0
    if ((value & Mdic.I) !== 0) this.#causes.raise(Cause.MDAC)
  }

  #read(register: number): number {
    const cable = this.#cable()
    switch (register) {
      case PhyRegister.PSTATUS:
        return Pstatus.CAPABILITIES | (cable ? Pstatus.LINK | Pstatus.AUTO_NEGOTIATION_COMPLETE : 0)
      case PhyRegister.PHY_ID_1:
        return 0x0141
      case PhyRegister.PHY_ID_2:
        return 0x0c20
      case PhyRegister.LPA:
        return cable ? LPA_GIGABIT : 0
      case PhyRegister.ANE:
        return cable ? 1 : 0
      case PhyRegister.GSTATUS:
        return cable ? GSTATUS_GIGABIT : 0
      case PhyRegister.EPSTATUS:
        return 0x3000
      case PhyRegister.PSSTAT:
        return Psstat.RESOLVED_1000_FULL | (cable ? Psstat.LINK : 0)
    }
    const value = this.#registers.get(register)
    if (value === undefined) this.#warn(`PHY register ${register} is not implemented: it reads 0`)
    return value ?? 0
  }

  #write(register: number, value: number): void {
    if (!this.#registers.has(register))
      return this.#warn(`PHY register ${register} is not implemented or cannot be written: 0x${value.toString(16)} ignored`)
    if (register !== PhyRegister.PCTRL) this.#registers.set(register, value)
    else if ((value & Pctrl.RESET) !== 0) this.reset()
    else this.#registers.set(register, value & ~Pctrl.RESTART)
  }
}
