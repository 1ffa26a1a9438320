/**
 * How the board joins its interrupt controllers: each line goes to the 8259 pair and to the I/O APIC; the 8259s' INTR goes to LINT0 of
 * the local APIC, which the firmware leaves as a wire to the processor ("virtual wire mode", MultiProcessor Specification 1.4, 3.6.2.2).
 */
import type { Clock } from '../../clock.ts'
import { Pic8259Pair } from '../pic8259.ts'
import { IoApic } from './io-apic.ts'
import { LocalApic } from './local-apic.ts'

/** The ISA bus's IRQ 0 arrives at input 2 of the I/O APIC, as on every PC; the MADT says so. */
export const TIMER_GSI = 2

export interface InterruptBoard {
  /** An interrupt became pending. */
  onInterrupt: () => void
  onNmi: () => void
  onTaskPriority: (cr8: number) => void
  warn: (message: string) => void
}

export class InterruptControllers {
  readonly pic: Pic8259Pair
  readonly local: LocalApic
  readonly io: IoApic

  constructor(clock: Clock, { onInterrupt, onNmi, onTaskPriority, warn }: InterruptBoard) {
    this.pic = new Pic8259Pair(warn)
    const onEoi = (vector: number): void => this.io.endOfInterrupt(vector)
    this.local = new LocalApic(clock, { onChange: onInterrupt, onNmi, onTaskPriority, onEoi, warn })
    this.io = new IoApic((message) => {
      if (this.local.isAddressed(message.destination, message.isLogical)) this.local.accept(message.vector, message.isLevel)
    }, warn)
    this.pic.onInterrupt = (high) => this.local.setExtInt(high)
  }

  /** Drives one of the lines IRQ 0–15. */
  setIrq(irq: number, high: boolean): void {
    this.pic.setIrq(irq, high)
    this.io.setLine(irq === 0 ? TIMER_GSI : irq, high)
  }

  /** Whether the processor is to be interrupted. */
  get pending(): boolean {
    return this.local.interruptPending
  }

  /** Whether an interrupt could ever end a HLT, as far as masks go. */
  get unmasked(): boolean {
    return (this.local.passesExtInt && this.pic.unmasked) || (this.local.listens && (this.local.timerUnmasked || this.io.unmasked))
  }

  /** INTA: the vector. */
  acknowledge(): number {
    const vector = this.local.acknowledge()
    return vector < 0 ? this.pic.acknowledge() : vector
  }
}
