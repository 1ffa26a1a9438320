/**
 * Intel 8042 keyboard controller without keyboard or mouse: the A20 gate, the reset line, the self-tests.
 *
 * Source: IBM PC/AT Technical Reference, 1984, "Keyboard controller"; IBM PS/2 Hardware Interface Technical Reference, "Keyboard and
 * auxiliary device controller".
 */
import type { PortDevice } from '../bus.ts'

export const KEYBOARD_DATA_PORT = 0x60
export const KEYBOARD_COMMAND_PORT = 0x64

const Status = { OBF: 1 << 0, SYS: 1 << 2, COMMAND: 1 << 3, UNLOCKED: 1 << 4, AUX_OBF: 1 << 5, TIMEOUT: 1 << 6 } as const
const OutputPort = { NOT_RESET: 1 << 0, A20: 1 << 1 } as const
const CommandByte = { SYS: 1 << 2, DISABLE_KEYBOARD: 1 << 4, DISABLE_AUX: 1 << 5 } as const

const Command = {
  READ_COMMAND_BYTE: 0x20,
  WRITE_COMMAND_BYTE: 0x60,
  DISABLE_AUX: 0xa7,
  ENABLE_AUX: 0xa8,
  TEST_AUX: 0xa9,
  SELF_TEST: 0xaa,
  TEST_KEYBOARD: 0xab,
  DISABLE_KEYBOARD: 0xad,
  ENABLE_KEYBOARD: 0xae,
  READ_OUTPUT_PORT: 0xd0,
  WRITE_OUTPUT_PORT: 0xd1,
  WRITE_AUX: 0xd4,
  /** 0xf0–0xff pulse the output port's low four bits that are 0 in the command; bit 0 resets the processor. */
  PULSE_OUTPUT_PORT: 0xf0,
} as const

const SELF_TEST_PASSED = 0x55
const INTERFACE_TEST_PASSED = 0x00
/** What the controller puts into its buffer when a device does not answer: "resend". */
const NO_ANSWER = 0xfe

export class KeyboardController implements PortDevice {
  readonly name = '8042 keyboard controller'
  readonly widthMax = 1
  readonly #reset: () => void
  readonly #warn: (message: string) => void
  #commandByte: number = CommandByte.SYS | CommandByte.DISABLE_KEYBOARD | CommandByte.DISABLE_AUX
  #output = -1
  #outputStatus = 0
  /** The command whose data byte port 0x60 gets next; 0 when that byte goes to the keyboard. */
  #awaitingData = 0
  #lastWasCommand = false

  constructor(reset: () => void, warn: (message: string) => void) {
    this.#reset = reset
    this.#warn = warn
  }

  readPort(port: number): number {
    if (port === KEYBOARD_COMMAND_PORT)
      return (
        Status.UNLOCKED |
        (this.#commandByte & CommandByte.SYS) |
        (this.#lastWasCommand ? Status.COMMAND : 0) |
        (this.#output >= 0 ? Status.OBF | this.#outputStatus : 0)
      )
    const value = this.#output
    this.#output = -1
    return value < 0 ? 0 : value
  }

  writePort(port: number, _size: number, value: number): void {
    this.#lastWasCommand = port === KEYBOARD_COMMAND_PORT
    if (this.#lastWasCommand) this.#command(value)
    else this.#data(value)
  }

  #answer(value: number, status = 0): void {
    this.#output = value
    this.#outputStatus = status
  }

  #command(command: number): void {
    this.#awaitingData = 0
    if (command >= Command.PULSE_OUTPUT_PORT) {
      if ((command & OutputPort.NOT_RESET) === 0) this.#reset()
      return
    }
    switch (command) {
      case Command.READ_COMMAND_BYTE:
        return this.#answer(this.#commandByte)
      case Command.WRITE_COMMAND_BYTE:
      case Command.WRITE_OUTPUT_PORT:
      case Command.WRITE_AUX:
        this.#awaitingData = command
        return
      case Command.DISABLE_AUX:
        this.#commandByte |= CommandByte.DISABLE_AUX
        return
      case Command.ENABLE_AUX:
        this.#commandByte &= ~CommandByte.DISABLE_AUX
        return
      case Command.DISABLE_KEYBOARD:
        this.#commandByte |= CommandByte.DISABLE_KEYBOARD
        return
      case Command.ENABLE_KEYBOARD:
        this.#commandByte &= ~CommandByte.DISABLE_KEYBOARD
        return
      case Command.SELF_TEST:
        this.#commandByte |= CommandByte.SYS
        return this.#answer(SELF_TEST_PASSED)
      case Command.TEST_KEYBOARD:
      case Command.TEST_AUX:
        return this.#answer(INTERFACE_TEST_PASSED)
      case Command.READ_OUTPUT_PORT:
        return this.#answer(OutputPort.NOT_RESET | OutputPort.A20)
    }
    this.#warn(`8042 keyboard controller: command 0x${command.toString(16)} is not implemented`)
  }

  #data(value: number): void {
    const command = this.#awaitingData
    this.#awaitingData = 0
    switch (command) {
      case Command.WRITE_COMMAND_BYTE:
        this.#commandByte = value
        return
      case Command.WRITE_OUTPUT_PORT:
        if ((value & OutputPort.A20) === 0) this.#warn('8042 keyboard controller: the guest closes the A20 gate, which stays open')
        if ((value & OutputPort.NOT_RESET) === 0) this.#reset()
        return
      case Command.WRITE_AUX:
        return this.#answer(NO_ANSWER, Status.TIMEOUT | Status.AUX_OBF)
    }
    this.#answer(NO_ANSWER, Status.TIMEOUT)
  }
}
