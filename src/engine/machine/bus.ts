/** A device in the processor's I/O space (SDM vol. 1, chapter 19). */
export interface PortDevice {
  /** For warnings. */
  readonly name: string
  /** Widest access in bytes that it decodes. Wider ones reach it in parts, low address first, as the ISA bus splits them. */
  readonly widthMax: 1 | 2 | 4
  /** An unsigned value of `size` bytes. */
  readPort(port: number, size: 1 | 2 | 4): number
  writePort(port: number, size: 1 | 2 | 4, value: number): void
}

/** A device at physical addresses outside RAM. Offsets count from the start of its range. */
export interface MmioDevice {
  readonly name: string
  /** Puts the value, little-endian, at offset 0 of `into`. */
  readMmio(offset: number, size: 1 | 2 | 4 | 8, into: DataView): void
  /** The value is little-endian at offset 0 of `from`. */
  writeMmio(offset: number, size: 1 | 2 | 4 | 8, from: DataView): void
}

const PORTS = 0x10000
const hex = (n: number): string => `0x${n.toString(16)}`
const allOnes = (size: 1 | 2 | 4): number => (size === 4 ? 0xffffffff : (1 << (size * 8)) - 1)
const unclaimed = (size: number, access: 'read' | 'write'): string =>
  `${access} of ${size} byte${size === 1 ? '' : 's'} ${access === 'read' ? 'gives all ones' : 'ignored'}`

/** I/O space: 65,536 byte-wide ports. A port without a device reads all ones, ignores writes, and warns by name once. */
export class PortBus {
  readonly #devices = new Map<number, PortDevice>()
  readonly #warned = new Set<number>()
  readonly #warn: (message: string) => void

  constructor(warn: (message: string) => void) {
    this.#warn = warn
  }

  /** Gives the ports `first` to `last`, both included, to a device. Throws RangeError when one of them is taken. */
  attach(first: number, last: number, device: PortDevice): void {
    if (!Number.isInteger(first) || !Number.isInteger(last) || first < 0 || first > last || last >= PORTS)
      throw new RangeError(`${device.name}: ports ${hex(first)} to ${hex(last)} are not a range within 0 to 0xffff`)
    for (let port = first; port <= last; port++) {
      const holder = this.#devices.get(port)
      if (holder !== undefined) throw new RangeError(`${device.name}: port ${hex(port)} belongs to ${holder.name}`)
    }
    for (let port = first; port <= last; port++) this.#devices.set(port, device)
  }

  detach(device: PortDevice): void {
    for (const [port, holder] of this.#devices) if (holder === device) this.#devices.delete(port)
  }

  in(port: number, size: 1 | 2 | 4): number {
    const device = this.#devices.get(port)
    if (device !== undefined && size <= device.widthMax) return device.readPort(port, size)
    if (size > 1 && this.#reachesAny(port, size)) {
      const half = (size >> 1) as 1 | 2
      return (this.in(port, half) | (this.in((port + half) & 0xffff, half) << (half * 8))) >>> 0
    }
    this.#unclaimed(port, size, 'read')
    return allOnes(size)
  }

  out(port: number, size: 1 | 2 | 4, value: number): void {
    const device = this.#devices.get(port)
    if (device !== undefined && size <= device.widthMax) return device.writePort(port, size, (value & allOnes(size)) >>> 0)
    if (size > 1 && this.#reachesAny(port, size)) {
      const half = (size >> 1) as 1 | 2
      this.out(port, half, value & allOnes(half))
      this.out((port + half) & 0xffff, half, value >>> (half * 8))
      return
    }
    this.#unclaimed(port, size, 'write')
  }

  #reachesAny(port: number, size: number): boolean {
    for (let i = 0; i < size; i++) if (this.#devices.has((port + i) & 0xffff)) return true
    return false
  }

  #unclaimed(port: number, size: number, access: 'read' | 'write'): void {
    if (this.#warned.has(port)) return
    this.#warned.add(port)
    this.#warn(`no device at port ${hex(port)}: ${unclaimed(size, access)}`)
  }
}

interface MmioRange {
  first: number
  end: number
  device: MmioDevice
}

const PAGE_BYTES = 4096
/** Pages named in warnings before the bus falls silent: a guest that sweeps the address space should not drown its console. */
const MMIO_WARNINGS_MAX = 64

/** Physical addresses outside RAM. One without a device reads all ones, ignores writes, and its page warns by name once. */
export class MmioBus {
  readonly #ranges: MmioRange[] = []
  /** Page numbers. */
  readonly #warned = new Set<number>()
  readonly #warn: (message: string) => void

  constructor(warn: (message: string) => void) {
    this.#warn = warn
  }

  /** Gives `bytes` bytes from physical address `first` to a device. Throws RangeError when the range is empty or taken. */
  attach(first: number, bytes: number, device: MmioDevice): void {
    if (!Number.isSafeInteger(first) || !Number.isSafeInteger(bytes) || first < 0 || bytes <= 0)
      throw new RangeError(`${device.name}: ${bytes} bytes at ${hex(first)} are not a range`)
    const end = first + bytes
    for (const range of this.#ranges)
      if (first < range.end && range.first < end) throw new RangeError(`${device.name}: ${hex(first)} belongs to ${range.device.name}`)
    this.#ranges.push({ first, end, device })
  }

  detach(device: MmioDevice): void {
    for (let i = this.#ranges.length - 1; i >= 0; i--) if (this.#ranges[i].device === device) this.#ranges.splice(i, 1)
  }

  read(physical: number, size: 1 | 2 | 4 | 8, into: DataView): void {
    const range = this.#find(physical, size)
    if (range !== undefined) return range.device.readMmio(physical - range.first, size, into)
    for (let i = 0; i < size; i++) into.setUint8(i, 0xff)
    this.#unclaimed(physical, size, 'read')
  }

  write(physical: number, size: 1 | 2 | 4 | 8, from: DataView): void {
    const range = this.#find(physical, size)
    if (range !== undefined) return range.device.writeMmio(physical - range.first, size, from)
    this.#unclaimed(physical, size, 'write')
  }

  #find(physical: number, size: number): MmioRange | undefined {
    return this.#ranges.find((range) => physical >= range.first && physical + size <= range.end)
  }

  #unclaimed(physical: number, size: number, access: 'read' | 'write'): void {
    const page = Math.floor(physical / PAGE_BYTES)
    if (this.#warned.has(page) || this.#warned.size >= MMIO_WARNINGS_MAX) return
    this.#warned.add(page)
    this.#warn(`no device at physical address ${hex(physical)}: ${unclaimed(size, access)}`)
  }
}
