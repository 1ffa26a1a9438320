import { describe, expect, it } from 'vitest'
import { type Delivery, type LinkOptions, Network, NetworkError, type NodeSpec } from './network.ts'
import { address, BROADCAST, frame, link, numberOf } from './testing/frames.ts'

const WIRE: LinkOptions = { latencyNs: 100 }

/** Machines m0, m1, … at the ports of one device. */
function star(kind: 'switch' | 'hub', machines: number, options = WIRE): Network {
  const names = Array.from({ length: machines }, (_, i) => `m${i}`)
  const nodes: NodeSpec[] = [...names.map((id) => ({ id, kind: 'machine' }) as const), { id: 'middle', kind }]
  return new Network({ nodes, links: names.map((name, port) => link(name, 'middle', port, options)), seed: 1 })
}

const summary = (deliveries: readonly Delivery[]): string[] =>
  deliveries.map((delivery) => `${delivery.node} ${numberOf(delivery.frame)} @${delivery.timeNs}`)

describe('a hub', () => {
  it('repeats to everybody else', () => {
    const network = star('hub', 3)
    network.send('m0', 0, 0, frame(address(1), address(0), 1))
    network.send('m1', 0, 1000, frame(address(0), address(1), 2))
    expect(summary(network.advance(5000))).toEqual(['m1 1 @200', 'm2 1 @200', 'm0 2 @1200', 'm2 2 @1200'])
  })
})

describe('a switch', () => {
  it('learns who is where', () => {
    const network = star('switch', 3)
    network.send('m0', 0, 0, frame(address(1), address(0), 1))
    network.send('m1', 0, 1000, frame(address(0), address(1), 2))
    network.send('m0', 0, 2000, frame(address(1), address(0), 3))
    expect(summary(network.advance(5000))).toEqual(['m1 1 @200', 'm2 1 @200', 'm0 2 @1200', 'm1 3 @2200'])
  })

  it('floods again for a station whose cable was cut, and finds it at another port', () => {
    const network = star('switch', 3)
    network.send('m1', 0, 0, frame(BROADCAST, address(1), 1))
    network.advance(1000)
    network.removeLink('m1')
    network.addLink(link('m1', 'middle', 7, WIRE))
    network.send('m0', 0, 2000, frame(address(1), address(0), 2))
    network.send('m1', 0, 3000, frame(BROADCAST, address(1), 3))
    network.send('m0', 0, 4000, frame(address(1), address(0), 4))
    expect(summary(network.advance(9000))).toEqual(['m2 2 @2200', 'm1 2 @2200', 'm0 3 @3200', 'm2 3 @3200', 'm1 4 @4200'])
  })

  it('passes through a chain of its kind', () => {
    const network = star('switch', 2)
    network.addNode({ id: 'second', kind: 'switch' })
    network.addNode({ id: 'far', kind: 'machine' })
    network.addLink({ id: 'trunk', a: { node: 'middle', port: 9 }, b: { node: 'second', port: 9 }, options: WIRE })
    network.addLink(link('far', 'second', 0, WIRE))
    network.send('far', 0, 0, frame(BROADCAST, address(9), 1))
    network.send('m0', 0, 1000, frame(address(9), address(0), 2))
    expect(summary(network.advance(9000))).toEqual(['m0 1 @300', 'm1 1 @300', 'far 2 @1300'])
  })
})

describe('a running network', () => {
  it('takes nodes and links away with what is on them', () => {
    const network = star('hub', 3)
    network.send('m0', 0, 0, frame(BROADCAST, address(0), 1))
    network.advance(150)
    network.removeNode('m2')
    expect(summary(network.advance(1000))).toEqual(['m1 1 @200'])
    expect(network.snapshot().map(({ id }) => id)).toEqual(['m0', 'm1'])
    expect(() => network.removeNode('m2')).toThrow("node m2: expected one of m0, m1, middle, found no such node")
  })

  it('takes away a node that is wired to itself', () => {
    const network = star('switch', 1)
    network.addLink({ id: 'loop', a: { node: 'middle', port: 8 }, b: { node: 'middle', port: 9 }, options: WIRE })
    network.removeNode('middle')
    expect(network.snapshot()).toEqual([])
  })

  it('forgets planned changes of what is gone, also when another took its name', () => {
    const network = star('switch', 2)
    network.cut('m1', 500)
    network.setLink('m1', { latencyNs: 1 }, 500)
    network.removeNode('middle')
    network.addLink({ id: 'm1', a: { node: 'm0', port: 0 }, b: { node: 'm1', port: 0 }, options: WIRE })
    network.advance(1000)
    expect(network.snapshot()).toMatchObject([{ id: 'm1', isUp: true, options: { latencyNs: 100 } }])
    expect(network.minimumLatencyNs).toBe(100)
  })

  it('drops what a machine sends where there is no cable', () => {
    const network = star('hub', 2)
    network.send('m0', 5, 0, frame(BROADCAST, address(0), 1))
    expect(network.advance(1000)).toEqual([])
  })

  it('makes changes of one time in the order in which they were asked for', () => {
    const network = star('hub', 1)
    network.setLink('m0', { latencyNs: 200 }, 500)
    network.advance(500)
    network.setLink('m0', { latencyNs: 300 }, 500)
    expect(network.snapshot()[0].options.latencyNs).toBe(300)
  })

  it('knows the least latency, planned ones included', () => {
    const network = star('hub', 2)
    network.setLink('m1', { latencyNs: 30 }, 500)
    expect(network.minimumLatencyNs).toBe(30)
    network.setLink('m1', { latencyNs: 300 }, 600)
    network.advance(1000)
    expect(network.minimumLatencyNs).toBe(100)
    expect(new Network({ nodes: [], links: [], seed: 0 }).minimumLatencyNs).toBe(Infinity)
  })
})

describe('arrivals', () => {
  it('tells ahead what is sure to come, once', () => {
    const network = star('hub', 2)
    network.send('m0', 0, 0, frame(BROADCAST, address(0), 1))
    network.advance(150)
    expect(summary(network.arrivals(250))).toEqual(['m1 1 @200'])
    expect(network.arrivals(250)).toEqual([])
    expect(network.advance(300)).toEqual([])
  })

  it('does not go beyond the least latency or a planned change', () => {
    const network = star('hub', 2)
    expect(() => network.arrivals(101)).toThrow(new RangeError('what arrives is known up to 100 ns, not up to 101'))
    network.cut('m1', 60)
    expect(() => network.arrivals(61)).toThrow('up to 60 ns')
  })
})

describe('errors', () => {
  const errors: [string, (network: Network) => void, string][] = [
    ['a name twice', (n) => n.addNode({ id: 'm0', kind: 'machine' }), 'node m0: expected a name of its own, found one that is taken'],
    ['a link twice', (n) => n.addLink(link('m0', 'm1', 3, WIRE)), 'link m0: expected a name of its own, found one that is taken'],
    ['a port twice', (n) => n.addLink({ ...link('m0', 'm1', 3, WIRE), id: 'x' }),
      'link x, m0 port 0: expected a free port, found one with link m0'],
    ['a wrong port', (n) => n.addLink({ ...link('m0', 'm1', -1, WIRE), id: 'x', a: { node: 'm0', port: 1 } }),
      'link x, m1 port -1: expected a port number from 0, found -1'],
    ['a link of one end', (n) => n.addLink({ id: 'x', a: { node: 'm0', port: 1 }, b: { node: 'm0', port: 1 }, options: WIRE }),
      'link x: expected two ports, found one twice'],
    ['no such link', (n) => n.cut('x', 0), 'link x: expected one of m0, m1, found no such link'],
    ['no such node', (n) => n.send('x', 0, 0, frame(BROADCAST, address(0), 1)),
      'node x: expected one of m0, m1, middle, found no such node'],
    ['a hub that sends', (n) => n.send('middle', 0, 0, frame(BROADCAST, address(0), 1)), 'sender middle: expected a machine, found a hub'],
    ['a short frame', (n) => n.send('m0', 0, 0, new Uint8Array(13)), 'frame from m0: expected 14 to 1518 bytes, found 13'],
    ['a long frame', (n) => n.send('m0', 0, 0, new Uint8Array(1519)), 'frame from m0: expected 14 to 1518 bytes, found 1519'],
    ['no latency', (n) => n.setLink('m0', { latencyNs: 0 }, 0),
      'link m0, latencyNs: expected a whole number of nanoseconds from 1 to 3600000000000, found 0'],
    ['a bad probability', (n) => n.setLink('m0', { loss: 1.1 }, 0), 'link m0, loss: expected a probability from 0 to 1, found 1.1'],
    ['no number', (n) => n.setLink('m0', { corrupt: NaN }, 0), 'link m0, corrupt: expected a probability from 0 to 1, found NaN'],
    ['a bad rate', (n) => n.setLink('m0', { bandwidthBps: 0.5 }, 0),
      'link m0, bandwidthBps: expected 0, or 1 to 1000000000000 bits per second, found 0.5'],
    ['a bad seed', () => void new Network({ nodes: [], links: [], seed: 0.5 }), 'seed: expected an integer up to 2^53, found 0.5'],
  ]
  it.each(errors)('%s', (_, act, message) => {
    const network = star('hub', 2)
    const before = network.snapshot()
    let error: unknown
    try {
      act(network)
    } catch (caught) {
      error = caught
    }
    expect(error).toBeInstanceOf(NetworkError)
    expect((error as NetworkError).message).toBe(message)
    expect(network.snapshot()).toEqual(before)
  })

  it('refuses times in the past and leaves nothing behind', () => {
    const network = star('hub', 2)
    network.advance(1000)
    expect(() => network.send('m0', 0, 999, frame(BROADCAST, address(0), 1))).toThrow(RangeError)
    expect(() => network.setLink('m0', { latencyNs: 1 }, 999)).toThrow(RangeError)
    expect(() => network.advance(999)).toThrow(new RangeError('the network is at 1000 ns and cannot go back to 999'))
    expect(() => network.setLink('x', { latencyNs: 1 }, 2000)).toThrow(NetworkError)
    expect(network.minimumLatencyNs).toBe(100)
  })
})
