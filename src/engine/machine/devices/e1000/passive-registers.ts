import { Register, type RegisterMap, VFTA_REGISTERS } from './registers.ts'

/**
 * Registers that hold what software wrote and do nothing else here: by name, with the value after reset.
 *
 * `quiet`: nothing that software could see depends on them in this model, which fetches and writes back descriptors one at a time
 * and at once, and has full duplex and no LEDs. The others switch something on that is not there, and say so unless they are
 * written with 0.
 */
const PASSIVE: readonly (readonly [name: keyof typeof Register, initial: number, quiet: boolean])[] = [
  ['CTRL_EXT', 0, true],
  ['VET', 0, true],
  ['TXCW', 0, true],
  ['TIPG', 0x00602008, true],
  ['AIFS', 0, true],
  ['LEDCTL', 0x07061302, true],
  ['RXDCTL', 0x00010000, true],
  ['TXDCTL', 0, true],
  ['TXDMAC', 0, true],
  ['TSPMT', 0, true],
  ['FCAL', 0, false],
  ['FCAH', 0, false],
  ['FCT', 0, false],
  ['FCTTV', 0, false],
  ['FCRTL', 0, false],
  ['FCRTH', 0, false],
  ['RXCSUM', 0, false],
  ['WUC', 0, false],
  ['WUFC', 0, false],
  ['WUS', 0, false],
  ['MANC', 0, false],
]

/** Named, so that a warning can say what was meant. */
const ABSENT: readonly (keyof typeof Register)[] = [
  'FLA', 'RXCW', 'RDFH', 'RDFT', 'RDFHS', 'RDFTS', 'RDFPC', 'TDFH', 'TDFT', 'TDFHS', 'TDFTS', 'TDFPC', 'IPAV', 'WUPL',
]

export class PassiveRegisters {
  readonly #warn: (message: string) => void
  readonly #values = new Map<number, number>()

  constructor(warn: (message: string) => void) {
    this.#warn = warn
  }

  reset(): void {
    this.#values.clear()
  }

  addTo(registers: RegisterMap): void {
    for (const [name, initial, quiet] of PASSIVE) this.#add(registers, name, Register[name], initial, quiet)
    for (let i = 0; i < VFTA_REGISTERS; i++) this.#add(registers, `VFTA[${i}]`, Register.VFTA + 4 * i, 0, false)
    for (const name of ABSENT) registers.set(Register[name], { name })
  }

  #add(registers: RegisterMap, name: string, offset: number, initial: number, quiet: boolean): void {
    registers.set(offset, {
      name,
      read: () => this.#values.get(offset) ?? initial,
      write: (value) => {
        this.#values.set(offset, value)
        if (!quiet && value !== 0) this.#warn(`register ${name} at 0x${offset.toString(16)} = 0x${value.toString(16)} has no effect`)
      },
    })
  }
}
