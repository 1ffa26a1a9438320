import { describe, expect, it } from 'vitest'
import { crc32 } from './crc32.ts'
import { Cause, Ctrl, Register, Tctl } from './registers.ts'
import { Counter, OctetCounter } from './statistics.ts'
import { frameOf, MAC, RING_DESCRIPTORS, Rig, TX_BUFFERS, TX_RING } from './testing/rig.ts'
import { FRAME_BYTES_MAX } from './wire.ts'

const EOP = 1
const IFCS = 2
const RS = 8
const DEXT = 0x20
const IDE = 0x80
const DD = 1

function ready(): Rig {
  const rig = new Rig()
  rig.setUp()
  return rig
}

describe('legacy transmit descriptors (the manual, 3.3.3)', () => {
  it('send a frame, whose last bit leaves after its length at 1 Gb/s', () => {
    const rig = ready()
    const frame = frameOf(1000, MAC)
    rig.queue(0, frame)
    rig.write(Register.TDT, 1)
    const ns = (8 + 1000 + 4) * 8
    rig.run(ns - 1)
    expect([rig.sent.length, rig.txStatus(0), rig.read(Register.TDH)]).toEqual([0, 0, 0])
    rig.run(1)
    expect(rig.sent).toEqual([{ frame, timeNs: ns }])
    expect([rig.txStatus(0), rig.read(Register.TDH)]).toEqual([DD, 1])
    expect(rig.read(Register.ICR)).toBe(Cause.TXDW | Cause.TXQE)
    expect(rig.warnings).toEqual([])
  })

  it('follow one another at the interpacket gap, and the head wraps', () => {
    const rig = ready()
    for (let i = 0; i < RING_DESCRIPTORS; i++) rig.queue(i, frameOf(100))
    rig.write(Register.TDT, 7)
    rig.run(100_000)
    rig.write(Register.TDT, 2)
    rig.run(100_000)
    expect(rig.read(Register.TDH)).toBe(2)
    const each = (8 + 100 + 4) * 8
    const starts = [...Array(7).keys()].map((i) => each + i * (each + 96))
    expect(rig.sent.map(({ timeNs }) => timeNs)).toEqual([...starts, ...[0, 1, 2].map((i) => 100_000 + each + i * (each + 96))])
  })

  it('gather a frame, and report only where RS asks', () => {
    const rig = ready()
    const frame = frameOf(600)
    rig.memory.write(TX_BUFFERS, frame)
    rig.describe(0, { address: TX_BUFFERS, length: 14, command: 0 })
    rig.describe(1, { address: TX_BUFFERS + 14, length: 86, command: RS })
    rig.describe(2, { address: TX_BUFFERS + 100, length: 500, command: EOP | IFCS })
    rig.write(Register.TDT, 3)
    rig.run(20_000)
    expect(rig.sent.map((sent) => sent.frame)).toEqual([frame])
    expect([0, 1, 2].map((i) => rig.txStatus(i))).toEqual([0, DD, 0])
    expect(rig.read(Register.ICR)).toBe(Cause.TXDW | Cause.TXQE)
  })

  it('wait for the rest of a frame', () => {
    const rig = ready()
    const frame = frameOf(200)
    rig.memory.write(TX_BUFFERS, frame)
    rig.describe(0, { address: TX_BUFFERS, length: 100, command: 0 })
    rig.describe(1, { address: TX_BUFFERS + 100, length: 100, command: EOP | IFCS })
    rig.write(Register.TDT, 1)
    rig.run(20_000)
    expect([rig.sent.length, rig.read(Register.TDH)]).toEqual([0, 1])
    rig.write(Register.TDT, 2)
    rig.run(20_000)
    expect(rig.sent[0].frame).toEqual(frame)
  })

  it('may be empty, and then send nothing', () => {
    const rig = ready()
    rig.describe(0, { address: 0, length: 0, command: EOP | RS })
    rig.write(Register.TDT, 1)
    rig.run(64)
    expect([rig.sent.length, rig.txStatus(0), rig.read(Register.TDH)]).toEqual([0, DD, 1])
  })
})

describe('extended transmit descriptors (the manual, 3.3.5 to 3.3.7)', () => {
  const describeExtended = (rig: Rig, type: number, command: number, popts = 0, length = 100): void => {
    rig.describe(0, { address: TX_BUFFERS, length: length | (type << 20), command: command | DEXT })
    rig.memory.writeU8(TX_RING + 13, popts)
  }

  it('data without offload sends', () => {
    const rig = ready()
    rig.memory.write(TX_BUFFERS, frameOf(100))
    describeExtended(rig, 1, EOP | IFCS | RS)
    rig.write(Register.TDT, 1)
    rig.run(5000)
    expect(rig.sent.map(({ frame }) => frame)).toEqual([frameOf(100)])
    expect([rig.txStatus(0), rig.warnings]).toEqual([DD, []])
  })

  it('a context is taken and sends nothing', () => {
    const rig = ready()
    describeExtended(rig, 0, RS)
    rig.write(Register.TDT, 1)
    rig.run(5000)
    expect([rig.sent, rig.txStatus(0), rig.warnings]).toEqual([[], DD, []])
  })

  it('offloads and reserved types warn by name', () => {
    const rig = ready()
    rig.memory.write(TX_BUFFERS, frameOf(100))
    const go = (): void => {
      rig.write(Register.TDH, 0)
      rig.write(Register.TDT, 1)
      rig.run(5000)
    }
    describeExtended(rig, 1, EOP | IFCS | 4)
    go()
    describeExtended(rig, 1, EOP | IFCS, 2)
    go()
    describeExtended(rig, 5, EOP | IFCS)
    go()
    expect(rig.warnings).toEqual([
      'e1000: transmit descriptor: TSE (TCP segmentation) is not implemented; sent as it is',
      'e1000: transmit descriptor: POPTS (checksum insertion) is not implemented; sent as it is',
      'e1000: transmit descriptor: DTYP 5 is reserved; descriptor skipped',
    ])
    expect(rig.sent).toHaveLength(2)
  })
})

describe('frames that the wire takes', () => {
  it('are padded with PSP, and are runts without it (the manual, 13.4.33)', () => {
    const rig = ready()
    rig.queue(0, frameOf(42))
    rig.write(Register.TDT, 1)
    rig.run(5000)
    const padded = new Uint8Array(60)
    padded.set(frameOf(42))
    expect(rig.sent[0].frame).toEqual(padded)
    rig.write(Register.TCTL, Tctl.EN)
    rig.queue(1, frameOf(42))
    rig.write(Register.TDT, 2)
    rig.run(5000)
    expect([rig.sent.length, rig.txStatus(1)]).toEqual([1, DD])
    expect(rig.warnings).toHaveLength(1)
    expect(rig.warnings[0]).toMatch(/42 bytes is shorter than 60 and TCTL.PSP does not pad it/)
  })

  it('bring their own FCS without IFCS', () => {
    const rig = ready()
    const withFcs = new Uint8Array(104)
    withFcs.set(frameOf(100))
    new DataView(withFcs.buffer).setUint32(100, crc32(frameOf(100)), true)
    rig.queue(0, withFcs, EOP | RS)
    rig.queue(1, frameOf(104), EOP | RS)
    rig.write(Register.TDT, 2)
    rig.run(5000)
    expect(rig.sent.map(({ frame }) => frame)).toEqual([frameOf(100)])
    expect(rig.warnings[0]).toMatch(/without IFCS does not end in its FCS/)
  })

  it('have 1518 bytes at most, in however many pieces', () => {
    const rig = ready()
    rig.queue(0, frameOf(FRAME_BYTES_MAX))
    rig.describe(1, { address: TX_BUFFERS, length: 0xffff, command: 0 })
    rig.describe(2, { address: TX_BUFFERS, length: 0xffff })
    rig.queue(3, frameOf(60))
    rig.write(Register.TDT, 4)
    rig.run(100_000)
    expect(rig.sent.map(({ frame }) => frame.length)).toEqual([FRAME_BYTES_MAX, 60])
    expect(rig.warnings).toHaveLength(1)
  })
})

describe('the transmitter', () => {
  it('stands still without TCTL.EN, without the link and without the bus, and goes on', () => {
    const rig = ready()
    rig.write(Register.TCTL, Tctl.PSP)
    rig.queue(0, frameOf(60))
    rig.write(Register.TDT, 1)
    rig.run(5000)
    expect(rig.sent).toHaveLength(0)
    rig.nic.setLink(false)
    rig.write(Register.TCTL, Tctl.EN)
    rig.run(5000)
    expect(rig.sent).toHaveLength(0)
    rig.nic.pci.writeConfig(4, 2)
    rig.nic.setLink(true)
    rig.run(5000)
    expect(rig.sent).toHaveLength(0)
    rig.nic.pci.writeConfig(4, 6)
    rig.run(5000)
    expect(rig.sent).toHaveLength(1)
  })

  it('loses the frame that is on the wire when the cable goes', () => {
    const rig = ready()
    rig.queue(0, frameOf(1000))
    rig.write(Register.TDT, 1)
    rig.run(1000)
    rig.nic.setLink(false)
    rig.run(10_000)
    expect([rig.sent.length, rig.txStatus(0), rig.read(Counter.GPTC)]).toEqual([0, DD, 0])
  })

  it('does not send before it was told to, whatever was charged in between', () => {
    const rig = ready()
    rig.queue(0, frameOf(60))
    rig.queue(1, frameOf(60))
    rig.write(Register.TDT, 1)
    rig.clock.advance(10_000)
    rig.write(Register.TDT, 2)
    rig.run(10_000)
    expect(rig.sent.map(({ timeNs }) => timeNs)).toEqual([576, 10_576])
  })

  it('stands still with a tail outside the ring, and says so', () => {
    const rig = ready()
    rig.write(Register.TDT, RING_DESCRIPTORS)
    rig.run(1_000_000)
    expect(rig.warnings).toEqual(['e1000: TDH 0 or TDT 8 lies outside the ring of 8 descriptors, which stands still'])
  })

  it('survives rings and buffers where there is no memory', () => {
    const rig = ready()
    rig.describe(0, { address: 0xfff_ffff_f000, length: 100 })
    rig.describe(1, { address: (1 << 20) - 50, length: 100 })
    rig.write(Register.TDT, 2)
    rig.run(10_000)
    expect(rig.sent.map(({ frame }) => frame[99])).toEqual([0xff, 0xff])
    rig.write(Register.TDBAH, 0x12345678)
    rig.write(Register.TDT, 3)
    rig.run(10_000)
    expect(rig.nic.pci.readConfig(4) >>> 16 & 0x2000).toBe(0x2000)
    expect(rig.warnings.filter((warning) => warning.endsWith('master abort'))).toHaveLength(3)
  })

  it('delays TXDW for descriptors with IDE, up to TADV (13.4.41, 13.4.44)', () => {
    const rig = ready()
    rig.write(Register.TIDV, 10)
    rig.write(Register.TADV, 15)
    rig.write(Register.IMS, Cause.TXDW)
    rig.queue(0, frameOf(60), EOP | IFCS | RS | IDE)
    rig.queue(1, frameOf(60), EOP | IFCS | RS | IDE)
    rig.write(Register.TDT, 1)
    rig.run(576 + 8000)
    rig.write(Register.TDT, 2)
    rig.run(20_000)
    expect(rig.rises).toEqual([576 + 15 * 1024])
  })

  it('counts what it sends (13.7)', () => {
    const rig = ready()
    rig.queue(0, frameOf(60))
    rig.queue(1, frameOf(1000, MAC))
    rig.queue(2, frameOf(200, Uint8Array.of(1, 0, 0x5e, 0, 0, 1)))
    rig.write(Register.TDT, 3)
    rig.run(50_000)
    const { GPTC, TPT, BPTC, MPTC, PTC64, PTC255, PTC1023 } = Counter
    const counters = [GPTC, TPT, BPTC, MPTC, PTC64, PTC255, PTC1023, OctetCounter.GOTC, OctetCounter.GOTC + 4, OctetCounter.TOT]
    expect(counters.map((counter) => rig.read(counter))).toEqual([3, 3, 1, 1, 1, 1, 1, 1272, 0, 1272])
    expect(counters.map((counter) => rig.read(counter))).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 1272])
  })

  it('forgets everything at a reset (13.4.1, RST)', () => {
    const rig = ready()
    rig.queue(0, frameOf(60))
    rig.write(Register.TDT, 1)
    rig.write(Register.CTRL, Ctrl.RST)
    rig.run(10_000)
    expect([rig.sent.length, rig.read(Register.TDT), rig.read(Register.TCTL), rig.read(Register.CTRL) & Ctrl.RST]).toEqual([0, 0, 0, 0])
  })
})
