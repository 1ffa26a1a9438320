import { describe, expect, it } from 'vitest'
import { MmioBus, PortBus, type MmioDevice, type PortDevice } from './bus.ts'

function recorder(widthMax: 1 | 2 | 4, log: string[], name = 'device'): PortDevice {
  return {
    name,
    widthMax,
    readPort: (port, size) => {
      log.push(`in ${port.toString(16)} ${size}`)
      return size === 4 ? 0xdeadbeef : port & 0xff
    },
    writePort: (port, size, value) => log.push(`out ${port.toString(16)} ${size} ${value.toString(16)}`),
  }
}

describe('PortBus', () => {
  it('hands an access to the device that decodes the port', () => {
    const log: string[] = []
    const bus = new PortBus(() => {})
    bus.attach(0x40, 0x43, recorder(4, log))
    expect(bus.in(0x40, 4)).toBe(0xdeadbeef)
    bus.out(0x43, 1, 0x1ff)
    bus.out(0x40, 4, -1)
    expect(log).toEqual(['in 40 4', 'out 43 1 ff', 'out 40 4 ffffffff'])
  })

  it('splits a wide access for byte-wide devices, low address first', () => {
    const log: string[] = []
    const bus = new PortBus(() => {})
    bus.attach(0x40, 0x43, recorder(1, log))
    expect(bus.in(0x40, 2)).toBe(0x4140)
    bus.out(0x40, 4, 0x44332211)
    expect(log).toEqual(['in 40 1', 'in 41 1', 'out 40 1 11', 'out 41 1 22', 'out 42 1 33', 'out 43 1 44'])
  })

  it('reads all ones where nobody is, and says so once', () => {
    const warnings: string[] = []
    const bus = new PortBus((message) => warnings.push(message))
    expect([bus.in(0x300, 1), bus.in(0x300, 2), bus.in(0x300, 4)]).toEqual([0xff, 0xffff, 0xffffffff])
    bus.out(0x301, 1, 0)
    bus.out(0x301, 1, 0)
    expect(warnings).toEqual(['no device at port 0x300: read of 1 byte gives all ones', 'no device at port 0x301: write of 1 byte ignored'])
  })

  it('reads a device beside a hole, and wraps at the top of the space', () => {
    const bus = new PortBus(() => {})
    bus.attach(0xffff, 0xffff, recorder(1, []))
    bus.attach(0, 0, recorder(1, []))
    expect(bus.in(0xffff, 2)).toBe(0x00ff)
    expect(bus.in(0xfffe, 2)).toBe(0xffff)
  })

  it('gives a port to one device only', () => {
    const bus = new PortBus(() => {})
    bus.attach(0x60, 0x64, recorder(1, [], 'first'))
    expect(() => bus.attach(0x64, 0x64, recorder(1, [], 'second'))).toThrow('second: port 0x64 belongs to first')
    expect(() => bus.attach(0x10, 0x10000, recorder(1, []))).toThrow(RangeError)
  })
})

describe('MmioBus', () => {
  const device = (log: string[]): MmioDevice => ({
    name: 'card',
    readMmio: (offset, size, into) => {
      log.push(`read ${offset} ${size}`)
      into.setUint32(0, 0x12345678, true)
    },
    writeMmio: (offset, size, from) => log.push(`write ${offset} ${size} ${from.getUint8(0)}`),
  })

  it('hands offsets to the device, and all ones where there is none', () => {
    const log: string[] = []
    const warnings: string[] = []
    const bus = new MmioBus((message) => warnings.push(message))
    const card = device(log)
    bus.attach(0xfebc0000, 0x20000, card)
    const value = new DataView(new ArrayBuffer(8))
    bus.read(0xfebc0008, 4, value)
    expect(value.getUint32(0, true)).toBe(0x12345678)
    value.setUint8(0, 7)
    bus.write(0xfebdffff, 1, value)
    expect(log).toEqual(['read 8 4', 'write 131071 1 7'])
    bus.read(0xfebdfffc, 8, value)
    expect(value.getBigUint64(0, true)).toBe(0xffffffffffffffffn)
    bus.detach(card)
    bus.read(0xfebc0008, 4, value)
    bus.read(0xfebc0010, 4, value)
    expect(warnings).toEqual([
      'no device at physical address 0xfebdfffc: read of 8 bytes gives all ones',
      'no device at physical address 0xfebc0008: read of 4 bytes gives all ones',
    ])
  })

  it('refuses overlapping ranges', () => {
    const bus = new MmioBus(() => {})
    bus.attach(0xfee00000, 0x1000, device([]))
    expect(() => bus.attach(0xfee00fff, 1, device([]))).toThrow('card: 0xfee00fff belongs to card')
  })
})
