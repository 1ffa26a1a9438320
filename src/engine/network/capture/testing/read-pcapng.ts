/** Reads what PcapngWriter may write, and checks lengths, padding and order on the way. Independent of the writer. */
export interface ReadInterface {
  name: string
  description: string
  linkType: number
  timeResolution: number
}

export interface ReadPacket {
  interface: number
  timeNs: bigint
  flags: number
  frame: Uint8Array
  comment: string | undefined
}

export interface ReadCapture {
  application: string
  interfaces: ReadInterface[]
  packets: ReadPacket[]
}

/** Throws an Error for what breaks the format. */
export function readPcapng(bytes: Uint8Array): ReadCapture {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const u32 = (at: number): number => view.getUint32(at, true)
  const capture: ReadCapture = { application: '', interfaces: [], packets: [] }
  const text = (value: Uint8Array | undefined): string => new TextDecoder('utf-8', { fatal: true }).decode(value)
  const readOptions = (from: number, to: number): Map<number, Uint8Array> => {
    const options = new Map<number, Uint8Array>()
    let at = from
    while (at < to) {
      const [code, length] = [view.getUint16(at, true), view.getUint16(at + 2, true)]
      if (code === 0) {
        if (length !== 0 || at + 4 !== to) throw new Error(`options end at ${at}, the block's body at ${to}`)
        return options
      }
      options.set(code, bytes.subarray(at + 4, at + 4 + length))
      at += 4 + pad(length)
    }
    if (from !== to) throw new Error(`options without an end at ${to}`)
    return options
  }

  for (let at = 0; at < bytes.length; ) {
    const [type, length] = [u32(at), u32(at + 4)]
    const isWhole = length % 4 === 0 && at + length <= bytes.length && u32(at + length - 4) === length
    if (!isWhole) throw new Error(`block at ${at}: length ${length}`)
    if ((at === 0) !== (type === 0x0a0d0d0a)) throw new Error(`block at ${at}: type ${type.toString(16)}`)
    const end = at + length - 4
    if (at === 0) {
      if (u32(8) !== 0x1a2b3c4d || u32(12) !== 1 || view.getBigInt64(16, true) !== -1n) throw new Error('section header')
      capture.application = text(readOptions(24, end).get(4))
    } else if (type === 1) {
      const options = readOptions(at + 16, end)
      capture.interfaces.push({
        name: text(options.get(2)),
        description: text(options.get(3)),
        linkType: view.getUint16(at + 8, true),
        timeResolution: options.get(9)?.[0] ?? 6,
      })
    } else if (type === 6) {
      const [captured, original] = [u32(at + 20), u32(at + 24)]
      if (captured !== original || u32(at + 8) >= capture.interfaces.length) throw new Error(`packet at ${at}`)
      const options = readOptions(at + 28 + pad(captured), end)
      const flags = options.get(2)
      capture.packets.push({
        interface: u32(at + 8),
        timeNs: (BigInt(u32(at + 12)) << 32n) | BigInt(u32(at + 16)),
        flags: flags === undefined ? 0 : new DataView(flags.buffer, flags.byteOffset).getUint32(0, true),
        frame: bytes.slice(at + 28, at + 28 + captured),
        comment: options.has(1) ? text(options.get(1)) : undefined,
      })
    } else throw new Error(`block at ${at}: type ${type}`)
    at += length
  }
  return capture
}

function pad(length: number): number {
  return (length + 3) & ~3
}
