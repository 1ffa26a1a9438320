import { describe, expect, it } from 'vitest'
import { MmioBus, PortBus } from '../bus.ts'
import { PciConfiguration } from './pci-configuration.ts'
import { PciFunction } from './pci-function.ts'

function bench() {
  const warnings: string[] = []
  const warn = (message: string): void => void warnings.push(message)
  const ports = new PortBus(warn)
  const mmio = new MmioBus(warn)
  const lines: boolean[] = []
  const reads: number[] = []
  const device = new PciFunction(
    {
      name: 'thing',
      vendorId: 0x1234,
      deviceId: 0x5678,
      revisionId: 9,
      classCode: 0xff0102,
      subsystemVendorId: 0x1111,
      subsystemId: 0x2222,
      interruptPin: 1,
    },
    [
      { space: 'memory', bytes: 0x20000, device: { name: 'thing', readMmio: (offset) => void reads.push(offset), writeMmio: () => {} } },
      { space: 'io', bytes: 64, device: { name: 'thing', widthMax: 4, readPort: (port) => port & 63, writePort: () => {} } },
    ],
    { mmio, ports, warn, setIrq: (high) => lines.push(high) },
  )
  const bus = new PciConfiguration(() => {})
  bus.attach(3, 0, device)
  ports.attach(0xcf8, 0xcff, bus)
  const at = (register: number): void => ports.out(0xcf8, 4, 0x80000000 | (3 << 11) | register)
  const read = (register: number, size: 1 | 2 | 4 = 4): number => {
    at(register & ~3)
    return ports.in(0xcfc + (register & 3), size)
  }
  const write = (register: number, value: number, size: 1 | 2 | 4 = 4): void => {
    at(register & ~3)
    ports.out(0xcfc + (register & 3), size, value)
  }
  return { bus, device, read, write, warnings, ports, mmio, lines, reads }
}

describe('a PCI function (PCI 3.0, section 6.1)', () => {
  it('says who it is, in every width', () => {
    const { read } = bench()
    expect([read(0), read(0, 2), read(2, 2), read(3, 1)]).toEqual([0x56781234, 0x1234, 0x5678, 0x56])
    expect([read(8), read(0x0c), read(0x2c), read(0x3c)]).toEqual([0xff010209, 0, 0x22221111, 0x0100])
    expect([read(0x18), read(0x30), read(0x34), read(0xfc)]).toEqual([0, 0, 0, 0])
  })

  it('answers at its own place alone', () => {
    const { ports, bus, device } = bench()
    for (const address of [0x80000000, 0x80001900, 0x80011800, 0x00001800]) {
      ports.out(0xcf8, 4, address)
      expect(ports.in(0xcfc, 4)).toBe(0xffffffff)
    }
    expect(() => bus.attach(3, 0, device)).toThrow(RangeError)
    expect(() => bus.attach(32, 0, device)).toThrow(RangeError)
  })

  it('tells the size of its ranges and decodes them where they are put (6.2.5.1)', () => {
    const { read, write, mmio, ports, reads, warnings } = bench()
    write(0x10, 0xffffffff)
    write(0x14, 0xffffffff)
    expect([read(0x10), read(0x14)]).toEqual([0xfffe0000, 0xffffffc1])
    write(0x04, 3, 2)
    write(0x10, 0xe0000000)
    write(0x14, 0x1000)
    const view = new DataView(new ArrayBuffer(8))
    mmio.read(0xe0000010, 4, view)
    expect([reads, ports.in(0x1005, 1)]).toEqual([[0x10], 5])
    write(0x10, 0xe1000000)
    mmio.read(0xe1000020, 4, view)
    expect(reads).toEqual([0x10, 0x20])
    expect(warnings).toEqual([])
    mmio.read(0xe0000010, 4, view)
    write(0x04, 0, 2)
    mmio.read(0xe1000020, 4, view)
    expect([ports.in(0x1005, 1), reads, warnings.length]).toEqual([0xff, [0x10, 0x20], 3])
  })

  it('does not take ranges that belong to others', () => {
    const { write, warnings, ports } = bench()
    ports.attach(0x3f8, 0x3ff, { name: 'UART', widthMax: 1, readPort: () => 0x55, writePort: () => {} })
    write(0x04, 3, 2)
    write(0x14, 0x3c0)
    expect(ports.in(0x3f8, 1)).toBe(0x55)
    expect(warnings).toEqual(['thing: its range is not decoded: thing: port 0x3f8 belongs to UART'])
  })

  it('drives its line unless the command register says no, and shows it in the status (6.2.3)', () => {
    const { device, read, write, lines } = bench()
    device.setInterrupt(true)
    expect([lines.at(-1), (read(6, 2) >> 3) & 1]).toEqual([true, 1])
    write(4, 0x400, 2)
    expect(lines.at(-1)).toBe(false)
    write(4, 0x000, 2)
    expect(lines.at(-1)).toBe(true)
    device.setInterrupt(false)
    expect([lines.at(-1), (read(6, 2) >> 3) & 1]).toEqual([false, 0])
  })

  it('keeps the interrupt line, masters the bus when told, and remembers a master abort until told to forget', () => {
    const { device, read, write } = bench()
    write(0x3c, 11, 1)
    write(0x3d, 7, 1)
    expect(read(0x3c)).toBe(0x010b)
    write(4, 0xffff, 2)
    expect([read(4, 2), device.busMaster]).toEqual([0x0557, true])
    device.masterAbort()
    write(4, 0, 2)
    expect(read(6, 2)).toBe(0x2200)
    write(6, 0x2000, 2)
    expect(read(6, 2)).toBe(0x0200)
  })
})
