/**
 * The local APIC of the machine's one processor, in xAPIC mode, id 0.
 *
 * Source: Intel SDM vol. 3, chapter 11 ("11.x" below). Register names are those of registers.ts.
 */
import type { MmioDevice } from '../../bus.ts'
import type { Clock } from '../../clock.ts'
import { ApicTimer } from './apic-timer.ts'
import {
  ApicBase, DELIVERY_SHIFT, Delivery, Esr, Icr, Lvt, Register, Shorthand, Svr, VECTOR_MIN, VERSION,
} from './registers.ts'
import { VectorSet } from './vector-set.ts'

export const LOCAL_APIC_BASE = 0xfee00000
export const LOCAL_APIC_BYTES = 4096

const ID = 0
const BROADCAST = 0xff
const DFR_FLAT = 0xffffffff
/** DFR bits 31–28, all ones: flat model (11.6.2.2). */
const DFR_MODEL = 0xf0000000
/** What can be written to each LVT entry. */
const LVT_WRITABLE = new Map<number, number>([
  [Register.LVT_TIMER, Lvt.TIMER_MODE | Lvt.MASK | Lvt.VECTOR],
  [Register.LVT_THERMAL, Lvt.MASK | Lvt.DELIVERY | Lvt.VECTOR],
  [Register.LVT_PERFORMANCE, Lvt.MASK | Lvt.DELIVERY | Lvt.VECTOR],
  [Register.LVT_LINT0, Lvt.MASK | Lvt.LEVEL | Lvt.ACTIVE_LOW | Lvt.DELIVERY | Lvt.VECTOR],
  [Register.LVT_LINT1, Lvt.MASK | Lvt.LEVEL | Lvt.ACTIVE_LOW | Lvt.DELIVERY | Lvt.VECTOR],
  [Register.LVT_ERROR, Lvt.MASK | Lvt.VECTOR],
])

export interface ApicBoard {
  /** An interrupt became pending, or none is any more. */
  onChange: () => void
  /** A non-maskable interrupt is delivered. */
  onNmi: () => void
  /** Bits 7–4 of TPR were written, which are CR8. */
  onTaskPriority: (cr8: number) => void
  /** The interrupt with this vector, which was level-triggered, has ended. */
  onEoi: (vector: number) => void
  warn: (message: string) => void
}

export class LocalApic implements MmioDevice {
  readonly name = 'local APIC'
  readonly timer: ApicTimer
  readonly #board: ApicBoard
  readonly #irr = new VectorSet()
  readonly #isr = new VectorSet()
  readonly #tmr = new VectorSet()
  readonly #lvt = new Map<number, number>()
  #enabled = true
  #tpr = 0
  #svr = 0xff
  #ldr = 0
  #dfr = DFR_FLAT
  #icrLow = 0
  #icrHigh = 0
  /** Errors since the last write of ESR, and what that write showed. */
  #errors = 0
  #esr = 0
  #extInt = false
  #pending = false

  constructor(clock: Clock, board: ApicBoard) {
    this.#board = board
    this.timer = new ApicTimer(clock, () => this.#local(Register.LVT_TIMER))
    this.#reset()
  }

  /** 11.4.7.1. */
  #reset(): void {
    for (const set of [this.#irr, this.#isr, this.#tmr]) set.clear()
    for (const register of LVT_WRITABLE.keys()) this.#lvt.set(register, Lvt.MASK)
    this.#svr = 0xff
    this.#tpr = this.#ldr = this.#icrLow = this.#icrHigh = this.#errors = this.#esr = 0
    this.#dfr = DFR_FLAT
    this.timer.reset()
  }

  /** As PC firmware leaves it, measured on SeaBIOS under QEMU 7.2: enabled, the 8259s on LINT0 ("virtual wire"), NMI on LINT1. */
  leaveAsFirmware(): void {
    this.#svr = Svr.ENABLE | 0xff
    this.#lvt.set(Register.LVT_LINT0, Lvt.LEVEL | (Delivery.EXT_INT << DELIVERY_SHIFT))
    this.#lvt.set(Register.LVT_LINT1, Lvt.LEVEL | (Delivery.NMI << DELIVERY_SHIFT))
    this.#update()
  }

  /** The enable bit of IA32_APIC_BASE. Disabled, the 8259s reach the processor directly; enabled again, it is as after a reset (11.4.3). */
  set enabled(enabled: boolean) {
    if (this.#enabled && !enabled) this.#reset()
    this.#enabled = enabled
    this.#update()
  }

  /** INTR of the 8259s, which is wired to LINT0. */
  setExtInt(high: boolean): void {
    const rises = high && !this.#extInt
    this.#extInt = high
    const lvt = this.#lvt.get(Register.LVT_LINT0) ?? 0
    if (rises && this.#enabled && (lvt & Lvt.DELIVERY) === Delivery.FIXED << DELIVERY_SHIFT) this.#local(Register.LVT_LINT0)
    this.#update()
  }

  /** Whether the processor is to be interrupted. */
  get interruptPending(): boolean {
    return this.#pending
  }

  /** Whether it takes messages at all. */
  get listens(): boolean {
    return this.#enabled && (this.#svr & Svr.ENABLE) !== 0
  }

  get timerUnmasked(): boolean {
    return ((this.#lvt.get(Register.LVT_TIMER) ?? 0) & Lvt.MASK) === 0
  }

  /** Whether INTR of the 8259s goes through to the processor. */
  get passesExtInt(): boolean {
    if (!this.#enabled) return true
    const lvt = this.#lvt.get(Register.LVT_LINT0) ?? 0
    return (lvt & (Lvt.MASK | Lvt.DELIVERY)) === Delivery.EXT_INT << DELIVERY_SHIFT
  }

  /** Takes the pending interrupt into service: its vector; -1 when it is the 8259s' to give. */
  acknowledge(): number {
    const vector = this.#deliverable
    if (vector < 0) return this.#extInt && this.passesExtInt ? -1 : this.#svr & Svr.VECTOR
    this.#irr.remove(vector)
    this.#isr.add(vector)
    this.#update()
    return vector
  }

  /** CR8 was written. */
  set taskPriority(cr8: number) {
    this.#tpr = cr8 << 4
    this.#update()
  }

  /** Whether a message with this destination is for this processor (11.6.2). */
  isAddressed(destination: number, isLogical: boolean): boolean {
    if (!isLogical) return destination === ID || destination === BROADCAST
    const logicalId = this.#ldr >>> 24
    if (destination === BROADCAST) return true
    if ((this.#dfr & DFR_MODEL) >>> 0 === DFR_MODEL) return (logicalId & destination) !== 0
    return logicalId >> 4 === destination >> 4 && (logicalId & destination & 0xf) !== 0
  }

  /** A message of delivery mode Fixed or Lowest Priority arrives. */
  accept(vector: number, isLevel: boolean): void {
    if (!this.#enabled) return
    if (vector < VECTOR_MIN) return this.#error(Esr.RECEIVE_ILLEGAL_VECTOR)
    this.#irr.add(vector)
    if (isLevel) this.#tmr.add(vector)
    else this.#tmr.remove(vector)
    this.#update()
  }

  readMmio(offset: number, size: number, into: DataView): void {
    // 11.4.1: registers are 32 bits at multiples of 16; anything else is undefined. Narrow reads give the register's bytes.
    const value = (offset & 0xc) === 0 ? this.#read(offset & ~0xf) >>> ((offset & 3) * 8) : 0
    for (let i = 0; i < size; i++) into.setUint8(i, i < 4 ? (value >>> (i * 8)) & 0xff : 0)
  }

  writeMmio(offset: number, size: number, from: DataView): void {
    if ((offset & 0xf) !== 0 || size < 4) {
      this.#board.warn(`local APIC: a write of ${size} bytes at 0x${offset.toString(16)} is not one of a register, and ignored`)
      return
    }
    this.#write(offset, from.getUint32(0, true))
  }

  #read(register: number): number {
    for (const [base, set] of [[Register.ISR, this.#isr], [Register.TMR, this.#tmr], [Register.IRR, this.#irr]] as const)
      if (register >= base && register < base + 0x80) return set.words[(register - base) >> 4]
    const lvt = this.#lvt.get(register)
    if (lvt !== undefined) return lvt
    switch (register) {
      case Register.ID: return ID << 24
      case Register.VERSION: return VERSION
      case Register.TPR: return this.#tpr
      case Register.PPR: return this.#ppr
      case Register.LDR: return this.#ldr
      case Register.DFR: return this.#dfr
      case Register.SVR: return this.#svr
      case Register.ESR: return this.#esr
      case Register.ICR_LOW: return this.#icrLow
      case Register.ICR_HIGH: return this.#icrHigh
      case Register.INITIAL_COUNT: return this.timer.initialCount
      case Register.CURRENT_COUNT: return this.timer.currentCount
      case Register.DIVIDE: return this.timer.divideConfiguration
      // Not supported since the Pentium 4 (table 11-1), or write-only.
      case Register.APR: case Register.RRD: case Register.EOI: return 0
    }
    this.#error(Esr.ILLEGAL_REGISTER)
    return 0
  }

  #write(register: number, value: number): void {
    const lvtWritable = LVT_WRITABLE.get(register)
    if (lvtWritable !== undefined) return this.#writeLvt(register, value & lvtWritable)
    switch (register) {
      case Register.TPR:
        this.#tpr = value & 0xff
        this.#board.onTaskPriority(this.#tpr >> 4)
        break
      case Register.EOI: return this.#endOfInterrupt()
      case Register.LDR:
        this.#ldr = (value & 0xff000000) >>> 0
        break
      case Register.DFR:
        this.#dfr = (value | ~DFR_MODEL) >>> 0
        break
      case Register.SVR:
        this.#svr = value & (Svr.VECTOR | Svr.ENABLE | Svr.FOCUS)
        // 11.4.7.2: while it is disabled by software all LVT entries are masked.
        if ((value & Svr.ENABLE) === 0) for (const [entry, lvt] of this.#lvt) this.#writeLvt(entry, lvt | Lvt.MASK)
        break
      case Register.ESR:
        // 11.5.3: a write shows what happened since the last one.
        this.#esr = this.#errors
        this.#errors = 0
        break
      case Register.ICR_LOW:
        this.#icrLow = value & Icr.WRITABLE
        return this.#send(value)
      case Register.ICR_HIGH:
        this.#icrHigh = (value & 0xff000000) >>> 0
        break
      case Register.INITIAL_COUNT:
        this.timer.initialCount = value
        break
      case Register.DIVIDE:
        this.timer.divideConfiguration = value
        break
      // Read-only. The id follows from the board.
      case Register.ID: case Register.VERSION: case Register.APR: case Register.PPR: case Register.RRD: case Register.CURRENT_COUNT:
        break
      default:
        this.#error(Esr.ILLEGAL_REGISTER)
    }
    this.#update()
  }

  #writeLvt(register: number, value: number): void {
    const lvt = (this.#svr & Svr.ENABLE) === 0 ? value | Lvt.MASK : value
    this.#lvt.set(register, lvt)
    if (register === Register.LVT_TIMER) this.timer.setLvt(lvt)
    this.#update()
  }

  /** A local source interrupts through its LVT entry. */
  #local(register: number): void {
    const lvt = this.#lvt.get(register) ?? Lvt.MASK
    if ((lvt & Lvt.MASK) !== 0) return
    const mode = (lvt & Lvt.DELIVERY) >> DELIVERY_SHIFT
    if (register === Register.LVT_TIMER || register === Register.LVT_ERROR || mode === Delivery.FIXED)
      this.accept(lvt & Lvt.VECTOR, register === Register.LVT_LINT0 && (lvt & Lvt.LEVEL) !== 0)
  }

  /** 11.6.1. There is one processor: what is for another one reaches nobody. */
  #send(icr: number): void {
    const shorthand = icr & Icr.SHORTHAND
    const isForSelf =
      shorthand === Shorthand.SELF ||
      shorthand === Shorthand.ALL ||
      (shorthand === Shorthand.NONE && this.isAddressed(this.#icrHigh >>> 24, (icr & Icr.LOGICAL) !== 0))
    const mode = (icr >> DELIVERY_SHIFT) & 7
    const isFixed = mode === Delivery.FIXED || mode === Delivery.LOWEST_PRIORITY
    if (isFixed && (icr & Icr.VECTOR) < VECTOR_MIN) this.#error(Esr.SEND_ILLEGAL_VECTOR)
    if (!isForSelf) return
    if (isFixed) this.accept(icr & Icr.VECTOR, false)
    else if (mode === Delivery.NMI) this.#board.onNmi()
    // INIT level de-assert is not for processors of today, and START-UP only wakes one that waits for it (9.4.4).
    else if (mode !== Delivery.START_UP && (icr & Icr.ASSERT) !== 0)
      this.#board.warn(`local APIC: an interprocessor interrupt to itself of delivery mode ${mode} is not implemented`)
  }

  /** 11.8.5. */
  #endOfInterrupt(): void {
    const vector = this.#isr.highest
    if (vector < 0) return
    this.#isr.remove(vector)
    if (this.#tmr.has(vector)) this.#board.onEoi(vector)
    // INTR through LINT0 in Fixed, level-triggered mode is still there.
    if (this.#extInt && vector === ((this.#lvt.get(Register.LVT_LINT0) ?? 0) & Lvt.VECTOR)) this.#local(Register.LVT_LINT0)
    this.#update()
  }

  #error(bit: number): void {
    this.#errors |= bit
    this.#local(Register.LVT_ERROR)
  }

  /** Processor priority: the task's, or that of what is in service (11.8.3.1). */
  get #ppr(): number {
    const inService = this.#isr.highest
    if (inService < 0 || this.#tpr >> 4 >= inService >> 4) return this.#tpr
    return inService & 0xf0
  }

  /** The vector that would be delivered now, or -1. */
  get #deliverable(): number {
    if (!this.#enabled || (this.#svr & Svr.ENABLE) === 0) return -1
    const requested = this.#irr.highest
    return requested >= 0 && requested >> 4 > this.#ppr >> 4 ? requested : -1
  }

  #update(): void {
    const pending = this.#deliverable >= 0 || (this.#extInt && this.passesExtInt)
    if (pending === this.#pending) return
    this.#pending = pending
    if (pending) this.#board.onChange()
  }
}

/** What IA32_APIC_BASE says: where the registers are and whether the APIC is enabled. */
export function readApicBase(lo: number): { address: number; enabled: boolean } {
  return { address: (lo & ApicBase.ADDRESS) >>> 0, enabled: (lo & ApicBase.ENABLE) !== 0 }
}
