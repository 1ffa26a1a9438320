import { describe, expect, it } from 'vitest'
import { kernelMachine } from '../../lab/kernel-machine.ts'
import { Machine } from '../../machine/machine.ts'
import { FrameAllocator } from '../memory/frames.ts'
import { KernelError } from '../syscall/errno.ts'
import type { E1000Driver } from './e1000.ts'
import { RECEIVE_DESCRIPTORS, TRANSMIT_DESCRIPTORS, findE1000 } from './e1000.ts'

const MAC = 0x525400123456
const RAM_BYTES = 4 << 20
const FRAME_NS = 20_000

interface Bench {
  machine: Machine
  driver: E1000Driver
  frames: FrameAllocator
  received: Uint8Array[]
  sent: Uint8Array[]
  links: boolean[]
  warnings: string[]
  writable: number
  /** Lets virtual time pass and does what the interrupt controller and the kernel do between two instructions. */
  pass(ns: number): void
}

function allocator(machine: Machine, frames: number): FrameAllocator {
  const all = new FrameAllocator(machine.memory)
  all.add({ start: 1 << 20, end: (1 << 20) + frames * 4096 })
  return all
}

/** The driver on the real device model, without a processor. */
function setUp(): Bench {
  const warnings: string[] = []
  const machine = new Machine({
    ramBytes: RAM_BYTES, nic: { mac: Uint8Array.of(0x52, 0x54, 0, 0x12, 0x34, 0x56) }, onWarning: (text) => warnings.push(text),
  })
  const frames = allocator(machine, 200)
  const links: boolean[] = []
  const driver = findE1000(kernelMachine(machine), frames, { link: (isUp) => links.push(isUp) })
  if (driver === null || machine.nic === undefined) throw new Error('no card')
  const bench: Bench = {
    machine, driver, frames, links, warnings, received: [], sent: [], writable: 0,
    pass: (ns) => {
      machine.clock.advance(ns)
      machine.clock.runDue()
      driver.interrupt()
    },
  }
  machine.nic.onTransmit = (bytes) => bench.sent.push(bytes.slice())
  driver.onReceive = (bytes) => bench.received.push(bytes)
  driver.onWritable = () => bench.writable++
  return bench
}

/** A frame for the card of so many bytes, with a number in it. */
function frame(number: number, bytes = 100): Uint8Array {
  const made = new Uint8Array(bytes)
  made.set([0x52, 0x54, 0, 0x12, 0x34, 0x56, 2, 0, 0, 0, 0, 1, 0x88, 0xb5, number & 0xff, number >> 8])
  return made
}
const numberOf = (bytes: Uint8Array): number => bytes[14] | (bytes[15] << 8)

describe('E1000Driver', () => {
  it('finds the card where the firmware has put it, and nothing the device warns of', () => {
    const { driver, warnings } = setUp()
    expect([driver.mac, driver.place, driver.irq]).toEqual([MAC, '00:03.0', 11])
    expect(warnings).toEqual([])
  })

  it('is not there without a card, and needs memory', () => {
    const none = new Machine({ ramBytes: RAM_BYTES })
    expect(findE1000(kernelMachine(none), allocator(none, 200), { link: () => {} })).toBeNull()
    const machine = new Machine({ ramBytes: RAM_BYTES, nic: { mac: Uint8Array.of(2, 0, 0, 0, 0, 1) } })
    const few = allocator(machine, 40)
    expect(() => findE1000(kernelMachine(machine), few, { link: () => {} })).toThrow(KernelError)
  })

  it('takes in frames of every length, round the ring again and again', () => {
    const { machine, received, pass, frames } = setUp()
    const { free } = frames
    for (let index = 0; index < RECEIVE_DESCRIPTORS * 5; index++) {
      machine.nic?.receive(frame(index, 60 + ((index * 97) % 1455)))
      if (index % 7 === 0) pass(FRAME_NS)
    }
    pass(FRAME_NS)
    expect(received.map(numberOf)).toEqual(Array.from({ length: RECEIVE_DESCRIPTORS * 5 }, (_, index) => index))
    received.forEach((bytes, index) => expect(bytes).toEqual(frame(index, 60 + ((index * 97) % 1455))))
    expect(frames.free).toBe(free)
  })

  it('keeps what the ring holds and more, in order, when nobody takes it in', () => {
    const { machine, received, pass, warnings } = setUp()
    for (let index = 0; index < 2000; index++) machine.nic?.receive(frame(index))
    for (let turn = 0; turn < 40; turn++) pass(FRAME_NS)
    const numbers = received.map(numberOf)
    expect(numbers.length).toBeGreaterThan(RECEIVE_DESCRIPTORS)
    expect(numbers.length).toBeLessThan(2000)
    expect(numbers).toEqual(numbers.map((_, index) => index))
    machine.nic?.receive(frame(5000))
    pass(FRAME_NS)
    expect(numberOf(received[received.length - 1])).toBe(5000)
    expect(warnings).toEqual([])
  })

  it('sends in order, says when it is full, and when it is not any more', () => {
    const bench = setUp()
    const { driver, pass, sent } = bench
    const accepted: number[] = []
    for (let index = 0; index < TRANSMIT_DESCRIPTORS + 5; index++) if (driver.transmit(frame(index, 1514))) accepted.push(index)
    expect(accepted.length).toBe(TRANSMIT_DESCRIPTORS - 1)
    expect(bench.writable).toBe(0)
    for (let turn = 0; turn < 4; turn++) pass(FRAME_NS)
    expect(bench.writable).toBe(1)
    for (let index = 100; index < 400; index++) {
      while (!driver.transmit(frame(index))) pass(FRAME_NS)
      accepted.push(index)
    }
    for (let turn = 0; turn < TRANSMIT_DESCRIPTORS; turn++) pass(FRAME_NS)
    expect(sent.map(numberOf)).toEqual(accepted)
    expect(sent[0]).toEqual(frame(0, 1514))
  })

  it('finds room by itself when frames have left and no interrupt has said so', () => {
    const { machine, driver } = setUp()
    while (driver.transmit(frame(1, 1514)));
    for (let turn = 0; turn < 10; turn++) {
      machine.clock.advance(FRAME_NS)
      machine.clock.runDue()
    }
    expect(driver.transmit(frame(2))).toBe(true)
  })

  it('loses frames without a link, and wakes who waits for room', () => {
    const bench = setUp()
    const { machine, driver, links, pass, sent } = bench
    while (driver.transmit(frame(1, 1514)));
    machine.nic?.setLink(false)
    pass(FRAME_NS)
    expect([links, bench.writable]).toEqual([[false], 1])
    for (let index = 0; index < 100; index++) expect(driver.transmit(frame(2))).toBe(true)
    machine.nic?.setLink(true)
    for (let turn = 0; turn < 100; turn++) pass(FRAME_NS)
    expect(links).toEqual([false, true])
    expect(sent.map(numberOf)).not.toContain(2)
    expect(driver.transmit(frame(3))).toBe(true)
    pass(FRAME_NS)
    expect(numberOf(sent[sent.length - 1])).toBe(3)
  })

  it('has its line released once the causes are read', () => {
    const { machine, driver } = setUp()
    machine.nic?.receive(frame(1))
    machine.clock.runDue()
    machine.pic.writePort(0xa1, 1, 0xff & ~(1 << 3))
    machine.pic.writePort(0x21, 1, 0xff & ~(1 << 2))
    expect(machine.pic.interruptPending).toBe(true)
    driver.interrupt()
    expect(machine.pic.interruptPending).toBe(false)
  })
})
