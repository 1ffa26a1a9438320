/**
 * The controller's serial EEPROM: 64 words on a Microwire bus (a 93C46), read through EERD or bit by bit through EECD.
 *
 * Source: the manual, chapter 5 (table 5-2, address map; 5.6.35, checksum), 13.4.3 and 13.4.4; Microchip 93LC46 data sheet,
 * DS21712, for the instruction set.
 */
import { Eecd, Eerd, Register, type RegisterMap } from './registers.ts'

const WORDS = 64
/** Word addresses of the map. */
const Word = {
  ETHERNET_ADDRESS: 0x00,
  INIT_CONTROL_1: 0x0a,
  SUBSYSTEM_ID: 0x0b,
  SUBSYSTEM_VENDOR_ID: 0x0c,
  DEVICE_ID: 0x0d,
  VENDOR_ID: 0x0e,
  INIT_CONTROL_2: 0x0f,
  CHECKSUM: 0x3f,
} as const
/** Load the subsystem IDs (bit 1) and device and vendor ID (bit 0); bit 14 signs the word as valid. */
const INIT_CONTROL_1_VALUE = 0x4003
/** The sum of all words. */
const CHECKSUM_TOTAL = 0xbaba

/** An instruction is a start bit, two bits of opcode and six of address. */
const INSTRUCTION_BITS = 9
const OPCODE_READ = 2
const ADDRESS_BITS = 6
const WORD_BITS = 16

export interface EepromIdentity {
  mac: Uint8Array
  vendorId: number
  deviceId: number
  subsystemVendorId: number
  subsystemId: number
}

export class Eeprom {
  readonly words: Uint16Array
  readonly #warn: (message: string) => void
  #eecd = 0
  #eerd = 0
  /** Bits shifted in since the start bit, the start bit included. */
  #instruction = 0
  #instructionBits = 0
  /** Bits shifted out since a READ. */
  #outBits = 0
  #output = 1

  constructor(identity: EepromIdentity, warn: (message: string) => void) {
    this.#warn = warn
    this.words = new Uint16Array(WORDS).fill(0xffff)
    for (let i = 0; i < 3; i++) this.words[Word.ETHERNET_ADDRESS + i] = identity.mac[2 * i] | (identity.mac[2 * i + 1] << 8)
    this.words[Word.INIT_CONTROL_1] = INIT_CONTROL_1_VALUE
    this.words[Word.SUBSYSTEM_ID] = identity.subsystemId
    this.words[Word.SUBSYSTEM_VENDOR_ID] = identity.subsystemVendorId
    this.words[Word.DEVICE_ID] = identity.deviceId
    this.words[Word.VENDOR_ID] = identity.vendorId
    this.words[Word.INIT_CONTROL_2] = 0
    this.words[Word.CHECKSUM] = 0
    this.words[Word.CHECKSUM] = CHECKSUM_TOTAL - this.words.reduce((sum, word) => sum + word, 0)
  }

  reset(): void {
    this.#eecd = 0
    this.#eerd = 0
    this.#deselect()
  }

  addTo(registers: RegisterMap): void {
    registers.set(Register.EECD, { name: 'EECD', read: () => this.#readEecd(), write: (value) => this.#writeEecd(value) })
    registers.set(Register.EERD, { name: 'EERD', read: () => this.#eerd, write: (value) => this.#writeEerd(value) })
  }

  #writeEerd(value: number): void {
    const address = (value >>> Eerd.ADDR_SHIFT) & 0xff
    this.#eerd = address << Eerd.ADDR_SHIFT
    if ((value & Eerd.START) !== 0) this.#eerd |= Eerd.DONE | ((address < WORDS ? this.words[address] : 0xffff) << Eerd.DATA_SHIFT)
  }

  #readEecd(): number {
    // A request for direct access is granted at once.
    const granted = (this.#eecd & Eecd.REQ) !== 0 ? Eecd.GNT : 0
    return this.#eecd | Eecd.PRES | granted | (this.#output !== 0 ? Eecd.DO : 0)
  }

  #writeEecd(value: number): void {
    const before = this.#eecd
    this.#eecd = value & Eecd.WRITABLE
    if ((this.#eecd & Eecd.CS) === 0) return this.#deselect()
    const rises = (this.#eecd & Eecd.SK) !== 0 && (before & Eecd.SK) === 0
    if (rises) this.#clock((this.#eecd & Eecd.DI) !== 0 ? 1 : 0)
  }

  #deselect(): void {
    this.#instruction = 0
    this.#instructionBits = 0
    this.#outBits = 0
    this.#output = 1
  }

  #clock(input: number): void {
    if (this.#instructionBits === INSTRUCTION_BITS) return this.#shiftOut()
    // Zeros before the start bit are ignored.
    if (this.#instructionBits === 0 && input === 0) return
    this.#instruction = (this.#instruction << 1) | input
    this.#instructionBits++
    if (this.#instructionBits < INSTRUCTION_BITS) return
    const opcode = (this.#instruction >> ADDRESS_BITS) & 3
    // A dummy zero precedes the word. Whatever is not READ enables, disables or makes a write, to which this EEPROM never is ready.
    if (opcode === OPCODE_READ) this.#output = 0
    else this.#warn(`EEPROM instruction 0x${this.#instruction.toString(16)} is not implemented: it can only be read`)
  }

  /** Words follow one another for as long as the clock runs. */
  #shiftOut(): void {
    const opcode = (this.#instruction >> ADDRESS_BITS) & 3
    if (opcode !== OPCODE_READ) return
    const first = this.#instruction & (WORDS - 1)
    const word = this.words[(first + Math.floor(this.#outBits / WORD_BITS)) % WORDS]
    this.#output = (word >> (WORD_BITS - 1 - (this.#outBits % WORD_BITS))) & 1
    this.#outBits++
  }
}
