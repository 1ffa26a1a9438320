/**
 * The fixed hardware of ACPI: PM1a event and control registers, and the power management timer.
 *
 * Source: ACPI Specification 6.5, sections 4.8.2.1 (PM timer), 4.8.3.1 (PM1 event), 4.8.3.2 (PM1 control). ACPI mode is always on: there is
 * no SMI command port. The blocks lie where QEMU's firmware puts those of its PIIX4, so that guests made for it can switch it off too.
 */
import type { PortDevice } from '../bus.ts'
import type { Clock, Timer } from '../clock.ts'

export const PM1A_EVT_BLK = 0x600
export const PM1_EVT_BYTES = 4
export const PM1A_CNT_BLK = 0x604
export const PM1_CNT_BYTES = 2
export const PM_TMR_BLK = 0x608
export const PM_TMR_BYTES = 4
/** All of them, from PM1A_EVT_BLK on. */
export const ACPI_PORTS = 12
/** The system control interrupt: an ISA line, level-triggered. */
export const SCI_IRQ = 9

/** PM1 status and enable bits (tables 4.13 and 4.14). Only the timer raises any: there are no buttons. */
const Pm1 = { TMR: 1 << 0, GBL: 1 << 5, PWRBTN: 1 << 8, SLPBTN: 1 << 9, RTC: 1 << 10 } as const
const PM1_ENABLE_WRITABLE = Pm1.TMR | Pm1.GBL | Pm1.PWRBTN | Pm1.SLPBTN | Pm1.RTC
/** PM1 control (table 4.15). */
const Control = { SCI_EN: 1 << 0, BM_RLD: 1 << 1, SLP_TYP: 7 << 10, SLP_EN: 1 << 13 } as const
/** SLP_TYP of S5, soft off, as \_S5 says it. */
export const SLP_TYP_S5 = 0

/** 3.579545 MHz is the colour burst, 315/88 MHz: 63 counts take 17,600 ns. */
const COUNTS = 63
const COUNTS_NS = 17_600
/** Without TMR_VAL_EXT the counter has 24 bits; TMR_STS is set whenever the highest one changes. */
const COUNTER_MASK = 0xffffff
const HALF = 0x800000

export class AcpiPowerManagement implements PortDevice {
  readonly name = 'ACPI power management'
  readonly widthMax = 4
  readonly #clock: Clock
  readonly #setSci: (asserted: boolean) => void
  readonly #powerOff: () => void
  readonly #warn: (message: string) => void
  readonly #overflow: Timer
  #enable = 0
  #status = 0
  /** Halves of the counter's range that had passed when TMR_STS was last cleared. */
  #halvesSeen = 0
  #control: number = Control.SCI_EN

  constructor(clock: Clock, setSci: (asserted: boolean) => void, powerOff: () => void, warn: (message: string) => void) {
    this.#clock = clock
    this.#setSci = setSci
    this.#powerOff = powerOff
    this.#warn = warn
    this.#overflow = clock.timer('PM timer', () => this.#update())
  }

  readPort(port: number, size: 1 | 2 | 4): number {
    const at = port & ~3
    const value =
      at === PM_TMR_BLK
        ? this.#counts & COUNTER_MASK
        : at === PM1A_EVT_BLK
          ? this.#currentStatus | (this.#enable << 16)
          : at === PM1A_CNT_BLK
            ? this.#control
            : 0
    const shifted = value >>> ((port & 3) * 8)
    return size === 4 ? shifted : shifted & ((1 << (size * 8)) - 1)
  }

  writePort(port: number, size: 1 | 2 | 4, value: number): void {
    const shift = (port & 3) * 8
    const mask = (size === 4 ? 0xffffffff : (1 << (size * 8)) - 1) << shift
    const placed = value << shift
    const at = port & ~3
    if (at === PM1A_EVT_BLK) {
      if ((placed & Pm1.TMR) !== 0) this.#halvesSeen = this.#halves
      this.#status &= ~placed
      this.#enable = ((this.#enable & ~(mask >>> 16)) | (placed >>> 16)) & PM1_ENABLE_WRITABLE
      this.#update()
    } else if (at === PM1A_CNT_BLK) this.#writeControl((this.#control & ~mask) | (placed & mask))
  }

  #writeControl(value: number): void {
    this.#control = (value & (Control.BM_RLD | Control.SLP_TYP)) | Control.SCI_EN
    if ((value & Control.SLP_EN) === 0) return
    const type = (value & Control.SLP_TYP) >> 10
    if (type === SLP_TYP_S5) this.#powerOff()
    else this.#warn(`${this.name}: the guest asks for a sleep of type ${type}, which is none of this machine's`)
  }

  get #counts(): number {
    const { nowNs } = this.#clock
    return Math.floor(nowNs / COUNTS_NS) * COUNTS + Math.floor(((nowNs % COUNTS_NS) * COUNTS) / COUNTS_NS)
  }
  get #halves(): number {
    return Math.floor(this.#counts / HALF)
  }
  get #currentStatus(): number {
    return this.#status | (this.#halves !== this.#halvesSeen ? Pm1.TMR : 0)
  }

  #update(): void {
    const isRequested = (this.#currentStatus & this.#enable) !== 0
    this.#setSci(isRequested)
    if (isRequested || (this.#enable & Pm1.TMR) === 0) this.#overflow.disarm()
    else this.#overflow.arm(nsOf((this.#halvesSeen + 1) * HALF))
  }
}

/** The first whole nanosecond at which so many counts have passed. */
function nsOf(counts: number): number {
  return Math.floor(counts / COUNTS) * COUNTS_NS + Math.ceil(((counts % COUNTS) * COUNTS_NS) / COUNTS)
}
