import { describe, expect, it } from 'vitest'
import { crc32 } from './crc32.ts'
import { Cause, Ctrl, Rah, Rctl, Register } from './registers.ts'
import { Counter, OctetCounter } from './statistics.ts'
import { BROADCAST, frameOf, MAC, RING_DESCRIPTORS, Rig, RX_RING } from './testing/rig.ts'

const DD = 1
const EOP = 2
const IXSM = 4
const PIF = 0x80
const STRANGER = Uint8Array.of(0x02, 0, 0, 0, 0, 0x99)
const GROUP = Uint8Array.of(0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb)

function ready(rctl?: number): Rig {
  const rig = new Rig()
  rig.setUp(rctl)
  return rig
}

describe('received frames (the manual, 3.2.3)', () => {
  it('go where the descriptor says, and raise RXT0', () => {
    const rig = ready()
    rig.write(Register.IMS, Cause.RXT0)
    rig.nic.receive(frameOf(100, MAC))
    expect(rig.rx(0)).toEqual({ length: 100, status: DD | EOP | IXSM, errors: 0, bytes: frameOf(100, MAC) })
    expect([rig.read(Register.RDH), rig.line]).toEqual([1, true])
    expect(rig.read(Register.ICR)).toBe(Cause.RXT0)
    expect(rig.line).toBe(false)
  })

  it('keep their FCS without SECRC', () => {
    const rig = ready(Rctl.BAM)
    rig.nic.receive(frameOf(100))
    const { length, bytes } = rig.rx(0)
    expect(length).toBe(104)
    expect(new DataView(bytes.buffer).getUint32(100, true)).toBe(crc32(frameOf(100)))
  })

  it('are padded as their sender should have done', () => {
    const rig = ready()
    rig.nic.receive(frameOf(42))
    const padded = new Uint8Array(60)
    padded.set(frameOf(42))
    expect(rig.rx(0).bytes).toEqual(padded)
  })

  it.each([
    [3, 256],
    [2, 512],
    [1, 1024],
    [0, 2048],
  ])('span descriptors when longer than a buffer (BSIZE %i: %i bytes)', (bsize, bytes) => {
    const rig = ready(Rctl.BAM | Rctl.SECRC | (bsize << Rctl.BSIZE_SHIFT))
    const frame = frameOf(1500)
    rig.nic.receive(frame)
    const parts = Math.ceil(1500 / bytes)
    const got = [...Array(parts).keys()].map((i) => rig.rx(i))
    expect(got.map(({ status }) => status & (DD | EOP))).toEqual([...Array(parts - 1).fill(DD), DD | EOP])
    expect(got.flatMap((part) => [...part.bytes])).toEqual([...frame])
    expect(rig.read(Register.RDH)).toBe(parts)
  })

  it('wait in the packet buffer for descriptors (13.7.33, RNBC), and for the rest of them', () => {
    const rig = ready(Rctl.BAM | Rctl.SECRC | (3 << Rctl.BSIZE_SHIFT))
    rig.write(Register.RDT, 1)
    rig.nic.receive(frameOf(300))
    rig.nic.receive(frameOf(60))
    expect([rig.rx(0).status, rig.read(Register.RDH), rig.read(Register.ICR) & Cause.RXT0]).toEqual([DD, 1, 0])
    rig.write(Register.RDT, 3)
    expect([rig.rx(1).length, rig.rx(1).status, rig.rx(2).length]).toEqual([44, DD | EOP | IXSM, 60])
    expect([rig.read(Counter.RNBC), rig.read(Counter.MPC), rig.read(Counter.GPRC)]).toEqual([2, 0, 2])
  })

  it('are missed when the packet buffer is full (13.7.5, MPC), whose size PBA sets', () => {
    const rig = ready()
    rig.write(Register.PBA, 16)
    expect(rig.read(Register.PBA)).toBe((48 << 16) | 16)
    for (let i = 0; i < 30; i++) rig.nic.receive(frameOf(1500))
    const kept = 7 + Math.floor((16 * 1024) / 1504)
    expect([rig.read(Counter.GPRC), rig.read(Counter.MPC), rig.read(Counter.TPR)]).toEqual([kept, 30 - kept, 30])
    expect(rig.read(Register.ICR) & Cause.RXO).toBe(Cause.RXO)
    rig.write(Register.RDT, 6)
    rig.nic.receive(frameOf(1500))
    expect(rig.read(Counter.MPC)).toBe(0)
  })

  it('wrap the ring', () => {
    const rig = ready()
    for (let i = 0; i < 20; i++) {
      rig.nic.receive(frameOf(60 + i))
      expect(rig.rx(i % RING_DESCRIPTORS).length).toBe(60 + i)
      rig.write(Register.RDT, (RING_DESCRIPTORS - 1 + i + 1) % RING_DESCRIPTORS)
    }
    expect(rig.read(Register.RDH)).toBe(20 % RING_DESCRIPTORS)
  })

  it('longer than 1518 bytes are counted and discarded (ROC); LPE is refused by name', () => {
    const rig = ready(Rctl.BAM | Rctl.LPE)
    expect(rig.warnings).toEqual(['e1000: RCTL.LPE (long packets) is not implemented and has no effect'])
    rig.nic.receive(frameOf(1519))
    rig.nic.receive(frameOf(1518))
    expect([rig.read(Counter.ROC), rig.read(Counter.GPRC)]).toEqual([1, 1])
    expect(() => rig.nic.receive(frameOf(14).subarray(1))).toThrow(RangeError)
  })

  it('survive rings and buffers where there is no memory', () => {
    const rig = ready()
    rig.memory.writeU64(RX_RING, 0xffff_ffff_ffff_ffffn)
    rig.memory.writeU64(RX_RING + 16, BigInt((1 << 20) - 10))
    rig.nic.receive(frameOf(100))
    rig.nic.receive(frameOf(100))
    expect([rig.rx(0).status, rig.rx(1).status]).toEqual([DD | EOP | IXSM, DD | EOP | IXSM])
    expect(rig.memory.read((1 << 20) - 10, 10)).toEqual(frameOf(100).subarray(0, 10))
    rig.write(Register.RDBAH, 1)
    rig.nic.receive(frameOf(100))
    expect(rig.warnings.every((warning) => warning.endsWith('master abort'))).toBe(true)
    rig.write(Register.RDLEN, 0)
    rig.nic.receive(frameOf(100))
    expect(rig.warnings.at(-1)).toMatch(/outside the ring of 0 descriptors/)
  })

  it('are not taken while disabled, unlinked or without the bus', () => {
    const rig = ready()
    rig.write(Register.RCTL, Rctl.BAM)
    rig.nic.receive(frameOf(60))
    rig.write(Register.RCTL, Rctl.BAM | Rctl.EN)
    rig.nic.setLink(false)
    rig.nic.receive(frameOf(60))
    rig.nic.setLink(true)
    expect(rig.read(Counter.TPR)).toBe(0)
    rig.nic.pci.writeConfig(4, 2)
    rig.nic.receive(frameOf(60))
    expect(rig.read(Register.RDH)).toBe(0)
    rig.nic.pci.writeConfig(4, 6)
    expect(rig.read(Register.RDH)).toBe(1)
  })
})

describe('address filters (the manual, 3.2.1 and 13.5)', () => {
  const passes = (rig: Rig, destination: Uint8Array): boolean => {
    const before = rig.read(Register.RDH)
    rig.nic.receive(frameOf(60, destination))
    const after = rig.read(Register.RDH)
    rig.write(Register.RDT, (after + RING_DESCRIPTORS - 1) % RING_DESCRIPTORS)
    return after !== before
  }

  it.each([
    ['none', 0, [true, false, false, false]],
    ['BAM', Rctl.BAM, [true, true, false, false]],
    ['MPE', Rctl.MPE, [true, true, true, false]],
    ['UPE', Rctl.UPE, [true, false, false, true]],
    ['all', Rctl.UPE | Rctl.MPE, [true, true, true, true]],
  ])('RCTL %s: own, broadcast, multicast, stranger', (_name, rctl, expected) => {
    const rig = ready(rctl)
    expect([MAC, BROADCAST, GROUP, STRANGER].map((destination) => passes(rig, destination))).toEqual(expected)
  })

  it('RAL and RAH take further addresses, groups included, and AV decides', () => {
    const rig = ready(0)
    rig.write(Register.RAL + 8 * 15, 0x005e0001)
    rig.write(Register.RAH + 8 * 15, 0xfb00)
    expect(passes(rig, GROUP)).toBe(false)
    rig.write(Register.RAH + 8 * 15, 0xfb00 | Rah.AV)
    expect(passes(rig, GROUP)).toBe(true)
    rig.write(Register.RAH, 0)
    expect(passes(rig, MAC)).toBe(false)
  })

  // 13.5.1's own example: bits 47:36 of an address that ends in ...:34:56 are 0x563.
  it.each([
    [0, 0x563],
    [1, 0xac6],
    [2, 0x58d],
    [3, 0x634],
  ])('MTA with MO %i hashes an address that ends in 34:56 to %i, and says PIF', (mo, hash) => {
    const rig = ready(mo << Rctl.MO_SHIFT)
    const group = Uint8Array.of(0x01, 0x00, 0x5e, 0x12, 0x34, 0x56)
    expect(passes(rig, group)).toBe(false)
    rig.write(Register.MTA + 4 * (hash >> 5), 1 << (hash & 31))
    expect(passes(rig, group)).toBe(true)
    expect(rig.rx(0).status & PIF).toBe(PIF)
  })
})

describe('receive interrupts (the manual, 3.2.7)', () => {
  it('wait for RDTR after the last frame, and RADV after the first', () => {
    const rig = ready()
    rig.write(Register.RDTR, 10)
    rig.write(Register.RADV, 25)
    rig.write(Register.IMS, Cause.RXT0)
    rig.nic.receive(frameOf(60))
    rig.run(30_000)
    expect(rig.rises).toEqual([10 * 1024])
    rig.read(Register.ICR)
    for (let i = 0; i < 5; i++) {
      rig.nic.receive(frameOf(60))
      rig.run(8000)
    }
    expect(rig.rises).toEqual([10 * 1024, 30_000 + 25 * 1024])
  })

  it('come at once with RDTR.FPD, and for small packets with RSRPD', () => {
    const rig = ready()
    rig.write(Register.RDTR, 1000)
    rig.nic.receive(frameOf(200))
    expect(rig.read(Register.ICR)).toBe(0)
    rig.write(Register.RDTR, 1000 | (1 << 31))
    expect(rig.read(Register.ICR)).toBe(Cause.RXT0)
    rig.write(Register.RSRPD, 64)
    rig.nic.receive(frameOf(60))
    expect(rig.read(Register.ICR)).toBe(Cause.RXT0 | Cause.SRPD)
  })

  it.each([
    [0, 4],
    [1, 2],
    [2, 1],
  ])('warn at the threshold of free descriptors (RDMTS %i: %i of 8)', (rdmts, free) => {
    const rig = ready(Rctl.BAM | (rdmts << Rctl.RDMTS_SHIFT))
    for (let left = 6; left >= 1; left--) {
      rig.nic.receive(frameOf(60))
      expect([left, (rig.read(Register.ICR) & Cause.RXDMT0) !== 0]).toEqual([left, left <= free])
    }
  })
})

it('counts what it receives (the manual, 13.7)', () => {
  const rig = ready(Rctl.BAM | Rctl.MPE)
  rig.nic.receive(frameOf(60))
  rig.nic.receive(frameOf(300, GROUP))
  rig.nic.receive(frameOf(1514, MAC))
  rig.nic.receive(frameOf(100, STRANGER))
  const { TPR, GPRC, BPRC, MPRC, PRC64, PRC511, PRC1522 } = Counter
  const { TOR, GORC } = OctetCounter
  expect([TPR, GPRC, BPRC, MPRC, PRC64, PRC511, PRC1522, TOR, GORC].map((counter) => rig.read(counter))).toEqual([
    4, 3, 1, 1, 1, 1, 1, 64 + 304 + 1518 + 104, 64 + 304 + 1518,
  ])
  expect(rig.read(GPRC)).toBe(0)
  expect([rig.read(GORC), rig.read(GORC + 4), rig.read(GORC)]).toEqual([1886, 0, 0])
})

it('forgets what it holds at a reset, and takes its address from the EEPROM again', () => {
  const rig = ready()
  rig.write(Register.RAL, 0)
  rig.write(Register.CTRL, Ctrl.RST)
  expect([rig.read(Register.RCTL), rig.read(Register.RDT), rig.read(Register.RAL), rig.read(Register.RAH)]).toEqual([
    0, 0, 0x12005452, 0x80005634,
  ])
})
