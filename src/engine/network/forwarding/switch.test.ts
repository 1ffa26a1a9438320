import { describe, expect, it } from 'vitest'
import { address, BROADCAST, frame } from '../testing/frames.ts'
import { Switch } from './switch.ts'

const PORTS = [0, 1, 2, 3]
const SECOND = 1_000_000_000

/** Station 1 spoke at port 1 at time 0. */
function taught(): Switch {
  const device = new Switch()
  device.forward(frame(BROADCAST, address(1), 0), 1, PORTS, 0)
  return device
}
const toStation1 = frame(address(1), address(2), 0)

describe('Switch', () => {
  it('floods what it has not learnt and what is for a group', () => {
    const device = taught()
    expect(device.forward(frame(address(9), address(1), 0), 1, PORTS, 0)).toEqual([0, 2, 3])
    expect(device.forward(frame(BROADCAST, address(2), 0), 2, PORTS, 0)).toEqual([0, 1, 3])
    expect(device.forward(frame([1, 0, 0x5e, 0, 0, 0xfb], address(2), 0), 2, PORTS, 0)).toEqual([0, 1, 3])
  })

  it('sends to the port of a station that it heard', () => {
    expect(taught().forward(toStation1, 2, PORTS, 1)).toEqual([1])
  })

  it('keeps to itself what is for a station at the same port, or at one without a cable', () => {
    expect(taught().forward(toStation1, 1, PORTS, 1)).toEqual([])
    expect(taught().forward(toStation1, 2, [0, 2, 3], 1)).toEqual([])
  })

  it('follows a station that moves', () => {
    const device = taught()
    device.forward(frame(BROADCAST, address(1), 0), 3, PORTS, 1)
    expect(device.forward(toStation1, 2, PORTS, 2)).toEqual([3])
  })

  it('forgets a station that is silent for 300 s', () => {
    expect(taught().forward(toStation1, 2, PORTS, 300 * SECOND - 1)).toEqual([1])
    expect(taught().forward(toStation1, 2, PORTS, 300 * SECOND)).toEqual([0, 1, 3])
    const refreshed = taught()
    refreshed.forward(frame(BROADCAST, address(1), 0), 1, PORTS, 200 * SECOND)
    expect(refreshed.forward(toStation1, 2, PORTS, 400 * SECOND)).toEqual([1])
  })

  it('forgets the stations of a port whose cable goes', () => {
    const device = taught()
    device.portDown(0)
    expect(device.forward(toStation1, 2, PORTS, 1)).toEqual([1])
    device.portDown(1)
    expect(device.forward(toStation1, 2, PORTS, 1)).toEqual([0, 1, 3])
  })

  it('does not learn a group address, nor pass on what is reserved for its neighbours', () => {
    const device = new Switch()
    device.forward(frame(BROADCAST, [3, 0, 0, 0, 0, 1], 0), 1, PORTS, 0)
    expect(device.forward(frame([3, 0, 0, 0, 0, 1], address(2), 0), 2, PORTS, 0)).toEqual([0, 1, 3])
    expect(device.forward(frame([1, 0x80, 0xc2, 0, 0, 0], address(2), 0), 2, PORTS, 0)).toEqual([])
    expect(device.forward(frame([1, 0x80, 0xc2, 0, 0, 0x10], address(2), 0), 2, PORTS, 0)).toEqual([0, 1, 3])
  })

  it('remembers 8192 stations, those it heard last', () => {
    const station = (i: number): number[] => [2, 0, 0, 1, i >> 8, i & 0xff]
    const device = taught()
    for (let i = 0; i < 8191; i++) device.forward(frame(BROADCAST, station(i), 0), 3, PORTS, 1)
    expect(device.forward(frame(address(1), station(0), 0), 3, PORTS, 2)).toEqual([1])
    device.forward(frame(BROADCAST, station(8191), 0), 3, PORTS, 3)
    expect(device.forward(toStation1, 3, PORTS, 4)).toEqual([0, 1, 2])
  })
})
