import type { Ports } from '../machine-port.ts'

/** The 8259A pair (Intel 231468): master at 0x20, slave at 0xa0 on the master's line 2. */
const MASTER = 0x20
const SLAVE = 0xa0
const DATA = 1
const ICW1_EDGE_CASCADE_ICW4 = 0x11
const ICW3_MASTER_SLAVE_ON_2 = 0x04
const ICW3_SLAVE_IDENTITY_2 = 0x02
const ICW4_8086 = 0x01
const OCW2_END_OF_INTERRUPT = 0x20
const OCW3_READ_ISR = 0x0b
const CASCADE_LINE = 2

export class PicDriver {
  private readonly ports: Ports
  private mask = 0xffff & ~(1 << CASCADE_LINE)

  constructor(ports: Ports) {
    this.ports = ports
  }

  /** Vectors `base` to `base` + 15, every line masked. */
  initialise(base: number): void {
    this.ports.out(MASTER, 1, ICW1_EDGE_CASCADE_ICW4)
    this.ports.out(SLAVE, 1, ICW1_EDGE_CASCADE_ICW4)
    this.ports.out(MASTER + DATA, 1, base)
    this.ports.out(SLAVE + DATA, 1, base + 8)
    this.ports.out(MASTER + DATA, 1, ICW3_MASTER_SLAVE_ON_2)
    this.ports.out(SLAVE + DATA, 1, ICW3_SLAVE_IDENTITY_2)
    this.ports.out(MASTER + DATA, 1, ICW4_8086)
    this.ports.out(SLAVE + DATA, 1, ICW4_8086)
    this.writeMask()
  }

  enable(irq: number): void {
    this.mask &= ~(1 << irq)
    this.writeMask()
  }

  /** True when line 7 or 15 interrupted without a request in service: noise, and no end of interrupt is due for it. */
  isSpurious(irq: number): boolean {
    if (irq !== 7 && irq !== 15) return false
    const chip = irq === 7 ? MASTER : SLAVE
    this.ports.out(chip, 1, OCW3_READ_ISR)
    return (this.ports.in(chip, 1) & 0x80) === 0
  }

  endOfInterrupt(irq: number): void {
    if (irq >= 8) this.ports.out(SLAVE, 1, OCW2_END_OF_INTERRUPT)
    this.ports.out(MASTER, 1, OCW2_END_OF_INTERRUPT)
  }

  private writeMask(): void {
    this.ports.out(MASTER + DATA, 1, this.mask & 0xff)
    this.ports.out(SLAVE + DATA, 1, (this.mask >> 8) & 0xff)
  }
}
