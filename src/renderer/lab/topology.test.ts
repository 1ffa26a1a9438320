import { describe, expect, it } from 'vitest'
import type { LabTopology } from '../../protocol/lab.ts'
import { nextAddress, parseAddress } from './address.ts'
import {
  addNode,
  align,
  changeLinks,
  changeNode,
  connect,
  connectProblem,
  copy,
  findNode,
  freePlace,
  isSameTopology,
  LINK_PRESETS,
  moveNodes,
  neighbour,
  nodeNameProblem,
  paste,
  presetOf,
  remove,
  renameNode,
  warnings,
} from './topology.ts'

function emptyTopology(name: string): LabTopology {
  return { name, seed: 1, nodes: [], links: [] }
}

/** alice – switch-1 – bob. */
function lan(): LabTopology {
  let topology = emptyTopology('lan')
  topology = addNode(topology, 'machine', { x: 0, y: 0 }, { address: '10.0.0.1/24' })
  topology = addNode(topology, 'switch', { x: 200, y: 0 })
  topology = addNode(topology, 'machine', { x: 400, y: 0 })
  return connect(connect(topology, 'alice', 'switch-1'), 'bob', 'switch-1')
}

describe('wiring', () => {
  it('takes the lowest free port at each end', () => {
    expect(lan().links.map(({ id, a, b }) => [id, `${a.node}:${a.port}`, `${b.node}:${b.port}`])).toEqual([
      ['link-1', 'alice:0', 'switch-1:0'],
      ['link-2', 'bob:0', 'switch-1:1'],
    ])
    const rewired = connect(remove(lan(), new Set(), new Set(['link-1'])), 'alice', 'switch-1')
    expect(rewired.links.at(-1)).toMatchObject({ id: 'link-1', b: { node: 'switch-1', port: 0 } })
  })

  it('knows what cannot be wired', () => {
    const topology = addNode(lan(), 'machine', { x: 0, y: 200 })
    expect(connectProblem(topology, 'alice', 'alice')).toBe('self')
    expect(connectProblem(topology, 'switch-1', 'bob')).toBe('connected')
    expect(connectProblem(topology, 'alice', 'carol')).toBe('full-a')
    expect(connectProblem(topology, 'carol', 'alice')).toBe('full-b')
    expect(connectProblem(topology, 'carol', 'switch-1')).toBeNull()
    expect(connect(topology, 'alice', 'carol')).toBe(topology)
  })

  it('loses the cables of what is removed', () => {
    const topology = remove(lan(), new Set(['alice']), new Set())
    expect(topology.links.map(({ id }) => id)).toEqual(['link-2'])
    expect(remove(topology, new Set(['nobody']), new Set())).toBe(topology)
  })
})

describe('names', () => {
  it('are hosts’ names, each once', () => {
    expect(nodeNameProblem(lan(), '')).toBe('empty')
    expect(nodeNameProblem(lan(), '-a')).toBe('character')
    expect(nodeNameProblem(lan(), 'árbol')).toBe('character')
    expect(nodeNameProblem(lan(), 'a'.repeat(64))).toBe('length')
    expect(nodeNameProblem(lan(), 'bob')).toBe('taken')
    expect(nodeNameProblem(lan(), 'bob', 'bob')).toBeNull()
    expect(nodeNameProblem(lan(), 'm-1')).toBeNull()
  })

  it('change at the cables too', () => {
    const topology = renameNode(lan(), 'alice', 'ada')
    expect(findNode(topology, 'ada')).toBeDefined()
    expect(topology.links[0].a).toEqual({ node: 'ada', port: 0 })
    expect(renameNode(topology, 'ada', 'bob')).toBe(topology)
    expect(isSameTopology(renameNode(topology, 'ada', 'alice'), lan())).toBe(true)
  })

  it('never run out', () => {
    let topology = emptyTopology('many')
    for (let i = 0; i < 20; i++) topology = addNode(topology, 'machine', { x: 0, y: 0 })
    expect(new Set(topology.nodes.map(({ id }) => id)).size).toBe(20)
    expect(topology.nodes.at(-1)!.id).toBe('machine-6')
  })
})

describe('copies', () => {
  it('bring their cables, with names and addresses of their own', () => {
    const { topology, nodes } = paste(lan(), copy(lan(), new Set(['alice', 'switch-1'])), 1)
    expect([...nodes]).toEqual(['alice-2', 'switch-2'])
    expect(findNode(topology, 'alice-2')).toMatchObject({ position: { x: 40, y: 40 }, address: '10.0.0.2/24' })
    expect(topology.links.at(-1)).toMatchObject({ a: { node: 'alice-2', port: 0 }, b: { node: 'switch-2', port: 0 } })
    expect(topology.links).toHaveLength(3)
  })

  it('keep name and address where the original is gone', () => {
    const fragment = copy(lan(), new Set(['alice']))
    const { topology } = paste(remove(lan(), new Set(['alice']), new Set()), fragment, 1)
    expect(findNode(topology, 'alice')).toMatchObject({ address: '10.0.0.1/24' })
  })

  it('of copies are numbered on', () => {
    let topology = lan()
    for (let i = 0; i < 3; i++) topology = paste(topology, copy(topology, new Set(['bob'])), 1).topology
    topology = paste(topology, copy(topology, new Set(['bob-3'])), 1).topology
    expect(topology.nodes.slice(3).map(({ id }) => id)).toEqual(['bob-2', 'bob-3', 'bob-4', 'bob-5'])
  })
})

describe('places', () => {
  it('line up and spread', () => {
    const at = (topology: LabTopology): number[][] => topology.nodes.map(({ position }) => [position.x, position.y])
    let topology = moveNodes(lan(), new Map([['switch-1', { x: 100, y: 80 }]]))
    const all = new Set(topology.nodes.map(({ id }) => id))
    topology = align(topology, all, 'row')
    expect(at(topology)).toEqual([
      [0, 40],
      [100, 40],
      [400, 40],
    ])
    expect(at(align(topology, all, 'spread-row'))).toEqual([
      [0, 40],
      [200, 40],
      [400, 40],
    ])
    expect(at(align(topology, all, 'column'))).toEqual([
      [200, 40],
      [200, 40],
      [200, 40],
    ])
    expect(align(topology, new Set(['alice']), 'column')).toBe(topology)
  })

  it('are found free, beside before below', () => {
    let topology = emptyTopology('places')
    for (let i = 0; i < 12; i++) topology = addNode(topology, 'machine', freePlace(topology, { x: 0, y: 0 }))
    const places = topology.nodes.map(({ position }) => `${position.x},${position.y}`)
    expect(new Set(places).size).toBe(12)
    expect(places.slice(0, 3)).toEqual(['0,0', '280,0', '-280,0'])
  })

  it('have neighbours by direction', () => {
    expect(neighbour(lan(), 'alice', 'right')).toBe('switch-1')
    expect(neighbour(lan(), 'bob', 'left')).toBe('switch-1')
    expect(neighbour(lan(), 'alice', 'up')).toBeNull()
    expect(neighbour(lan(), 'nobody', 'up')).toBeNull()
  })
})

describe('warnings', () => {
  it('tell of loops and of addresses given twice', () => {
    expect(warnings(lan())).toEqual([])
    let topology = changeNode(lan(), 'bob', { address: '10.0.0.1/16' })
    topology = addNode(addNode(topology, 'switch', { x: 0, y: 0 }), 'hub', { x: 0, y: 0 })
    topology = connect(connect(connect(topology, 'switch-1', 'switch-2'), 'switch-2', 'hub-1'), 'hub-1', 'switch-1')
    expect(warnings(topology)).toEqual([
      { kind: 'loop', links: ['link-5'] },
      { kind: 'address-taken', address: '10.0.0.1', nodes: ['alice', 'bob'] },
    ])
  })
})

describe('equality', () => {
  it('is of what a file would keep', () => {
    const { name, seed, nodes, links } = lan()
    expect(isSameTopology(lan(), { links, nodes, seed, name })).toBe(true)
    expect(isSameTopology(lan(), changeNode(lan(), 'bob', { program: undefined }))).toBe(true)
    expect('program' in changeNode(lan(), 'bob', { program: undefined }).nodes[2]).toBe(false)
    expect(isSameTopology(lan(), { ...lan(), seed: 2 })).toBe(false)
  })
})

it('recognises a preset, and what departs from it', () => {
  const wifi = changeLinks(lan(), new Set(['link-1']), LINK_PRESETS.wifi)
  expect(wifi.links.map(({ impairments }) => presetOf(impairments))).toEqual(['wifi', 'cable'])
  expect(presetOf({ ...LINK_PRESETS.wifi, loss: 0.5 })).toBeNull()
})

describe('addresses', () => {
  it.each(['10.0.0.1/24', ' 192.168.1.77/16 ', '169.254.9.9/16', '10.0.0.1/30'])('%j is one', (text) => {
    expect(parseAddress(text)).not.toBeNull()
  })
  it.each(['', '10.0.0.1', '10.0.0.256/24', '10.0.0.0/24', '10.0.0.255/24', '10.0.0.1/31', '127.0.0.1/8', '224.0.0.1/24', 'a.b.c.d/8'])(
    '%j is none that a host can have',
    (text) => {
      expect(parseAddress(text)).toBeNull()
    },
  )
  it('follow one another, past what is taken and past the ends of the network', () => {
    expect(nextAddress('10.0.0.1/24', new Set(['10.0.0.2/24']))).toBe('10.0.0.3/24')
    expect(nextAddress('10.0.0.254/24', new Set())).toBe('10.0.0.1/24')
    expect(nextAddress('10.0.0.1/30', new Set(['10.0.0.1/30', '10.0.0.2/30']))).toBeUndefined()
  })
})
