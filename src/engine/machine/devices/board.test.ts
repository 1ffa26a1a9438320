import { describe, expect, it } from 'vitest'
import { Clock } from '../clock.ts'
import { DebugExit } from './debug-exit.ts'
import { KeyboardController } from './keyboard-controller.ts'
import { PciConfiguration } from './pci-configuration.ts'
import { Pit8254 } from './pit8254.ts'
import { SystemControlA, SystemControlB } from './system-control.ts'

function reporter() {
  const log: string[] = []
  return { log, reset: () => log.push('reset'), warn: (message: string) => log.push(message) }
}

describe('8042 keyboard controller', () => {
  it('passes its self-tests', () => {
    const { log, reset, warn } = reporter()
    const controller = new KeyboardController(reset, warn)
    const ask = (command: number): number => {
      controller.writePort(0x64, 1, command)
      expect(controller.readPort(0x64) & 1).toBe(1)
      return controller.readPort(0x60)
    }
    expect([ask(0xaa), ask(0xab), ask(0xa9)]).toEqual([0x55, 0, 0])
    expect(controller.readPort(0x64) & 3).toBe(0)
    expect(log).toEqual([])
  })

  it('keeps the command byte', () => {
    const { reset, warn } = reporter()
    const controller = new KeyboardController(reset, warn)
    controller.writePort(0x64, 1, 0x60)
    controller.writePort(0x60, 1, 0x47)
    controller.writePort(0x64, 1, 0xad)
    controller.writePort(0x64, 1, 0x20)
    expect(controller.readPort(0x60)).toBe(0x57)
  })

  it('opens A20, as boot stubs ask it to, and refuses to close it by name', () => {
    const { log, reset, warn } = reporter()
    const controller = new KeyboardController(reset, warn)
    controller.writePort(0x64, 1, 0xd1)
    controller.writePort(0x60, 1, 0xdf)
    expect(log).toEqual([])
    controller.writePort(0x64, 1, 0xd1)
    controller.writePort(0x60, 1, 0xdd)
    expect(log).toEqual(['8042 keyboard controller: the guest closes the A20 gate, which stays open'])
    controller.writePort(0x64, 1, 0xd0)
    expect(controller.readPort(0x60) & 2).toBe(2)
  })

  it('resets the processor by pulse and by output port', () => {
    const { log, reset, warn } = reporter()
    const controller = new KeyboardController(reset, warn)
    controller.writePort(0x64, 1, 0xff)
    expect(log).toEqual([])
    controller.writePort(0x64, 1, 0xfe)
    controller.writePort(0x64, 1, 0xd1)
    controller.writePort(0x60, 1, 0x02)
    expect(log).toEqual(['reset', 'reset'])
  })

  it('says that no keyboard answers', () => {
    const { log, reset, warn } = reporter()
    const controller = new KeyboardController(reset, warn)
    controller.writePort(0x60, 1, 0xff)
    expect(controller.readPort(0x64) & 0x41).toBe(0x41)
    expect(controller.readPort(0x60)).toBe(0xfe)
    controller.writePort(0x64, 1, 0x42)
    expect(log).toEqual(['8042 keyboard controller: command 0x42 is not implemented'])
  })
})

describe('system control ports', () => {
  it('port 0x92: A20 is open, bit 0 resets', () => {
    const { log, reset, warn } = reporter()
    const port = new SystemControlA(reset, warn)
    expect(port.readPort()).toBe(2)
    port.writePort(0x92, 1, 2)
    port.writePort(0x92, 1, 0)
    port.writePort(0x92, 1, 3)
    expect(log).toEqual(['system control port A: the guest closes the A20 gate, which stays open', 'reset'])
  })

  it('port 0x61: gates counter 2, shows its OUT and toggles with refresh', () => {
    const clock = new Clock()
    const pit = new Pit8254(clock, () => {})
    const port = new SystemControlB(clock, pit)
    pit.writePort(0x43, 1, 0xb0)
    pit.writePort(0x42, 1, 100)
    pit.writePort(0x42, 1, 0)
    expect(port.readPort() & 0x20).toBe(0)
    port.writePort(0x61, 1, 0xf1)
    expect(port.readPort() & 0x0f).toBe(1)
    const refresh = port.readPort() & 0x10
    clock.advance(15_086)
    expect(port.readPort() & 0x10).toBe(refresh ^ 0x10)
    clock.advance(100 * 839)
    expect(port.readPort() & 0x20).toBe(0x20)
  })
})

describe('PCI configuration mechanism #1', () => {
  it('keeps CONFIG_ADDRESS and finds nobody', () => {
    const { reset } = reporter()
    const pci = new PciConfiguration(reset)
    pci.writePort(0xcf8, 4, 0x8000fa07)
    expect(pci.readPort(0xcf8, 4)).toBe(0x8000fa04)
    expect([pci.readPort(0xcfc, 4), pci.readPort(0xcfe, 2), pci.readPort(0xcfc, 1)]).toEqual([0xffffffff, 0xffff, 0xff])
    pci.writePort(0xcf8, 1, 0)
    expect(pci.readPort(0xcf8, 4)).toBe(0x8000fa04)
  })

  it('resets on a rising RCPU', () => {
    const { log, reset } = reporter()
    const pci = new PciConfiguration(reset)
    pci.writePort(0xcf9, 1, 0x02)
    expect(log).toEqual([])
    pci.writePort(0xcf9, 1, 0x06)
    expect(log).toEqual(['reset'])
    expect(pci.readPort(0xcf9, 1)).toBe(0x06)
  })
})

describe('debug exit', () => {
  it('ends the machine with the value written', () => {
    const codes: number[] = []
    const exit = new DebugExit((code) => codes.push(code))
    exit.writePort(0xf4, 4, 0xfffffffe)
    expect([codes, exit.readPort()]).toEqual([[0xfffffffe], 0])
  })
})
