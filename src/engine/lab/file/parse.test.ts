import { describe, expect, it } from 'vitest'
import { Random } from '../../random/random.ts'
import { LabFileError } from './errors.ts'
import { formatLab } from './format.ts'
import { parseLab, resolveLab } from './parse.ts'
import { labJsonSchema } from './schema.ts'

const two = {
  version: 1,
  name: 'Two hosts',
  seed: 7,
  nodes: [
    { id: 'alice', kind: 'machine', program: 'a.c', args: ['x'], memory: '32M', address: '10.0.0.1/24', position: { x: 0, y: 10 } },
    { id: 'bob', kind: 'machine' },
    { id: 'hub', kind: 'hub' },
  ],
  links: [
    { a: 'alice', b: 'hub', latency: '5ms', bandwidth: '10Mbit', loss: '5%', queue: '64KiB' },
    { id: 'cable', a: 'bob', b: 'hub:0', jitter: '100us', duplicate: 0.5 },
  ],
  timeline: [
    { at: '5s', do: 'heal', link: 'cable' },
    { at: '2s', do: 'cut', link: 'cable' },
    { at: '6s', do: 'change', link: 'alice-hub', loss: 1, latency: '20ms' },
    { at: '7s', do: 'kill', node: 'bob' },
    { at: '8s', do: 'boot', node: 'bob' },
    { at: '9s', do: 'type', node: 'bob', text: 'ls\n' },
  ],
  checks: [
    { console: 'alice', contains: '64 bytes', by: '2s' },
    { name: 'quiet', console: 'bob', lacks: 'panic', from: '1s' },
    { console: 'bob', matches: '^\\d+ bytes$' },
  ],
}

type Change = (lab: typeof two & Record<string, unknown>) => unknown

function issues(change: Change): string[] {
  const lab = structuredClone(two)
  change(lab)
  try {
    resolveLab(lab)
  } catch (error) {
    if (!(error instanceof LabFileError)) throw error
    return error.issues.map(({ path, expected, found }) => `${path}: ${expected} | ${found}`)
  }
  return []
}

describe('lab.json', () => {
  it('is read with every default filled in', () => {
    expect(resolveLab(two)).toMatchInlineSnapshot(`
      {
        "checks": [
          {
            "byNs": 2000000000,
            "condition": {
              "kind": "contains",
              "text": "64 bytes",
            },
            "fromNs": 0,
            "name": "alice contains "64 bytes"",
            "node": "alice",
          },
          {
            "byNs": 30000000000,
            "condition": {
              "kind": "lacks",
              "text": "panic",
            },
            "fromNs": 1000000000,
            "name": "quiet",
            "node": "bob",
          },
          {
            "byNs": 30000000000,
            "condition": {
              "kind": "matches",
              "pattern": "^\\d+ bytes$",
            },
            "fromNs": 0,
            "name": "bob matches /^\\d+ bytes$/",
            "node": "bob",
          },
        ],
        "durationNs": 30000000000,
        "links": [
          {
            "a": {
              "node": "alice",
              "port": 0,
            },
            "b": {
              "node": "hub",
              "port": 1,
            },
            "id": "alice-hub",
            "impairments": {
              "bandwidthBps": 10000000,
              "corrupt": 0,
              "duplicate": 0,
              "jitterNs": 0,
              "latencyNs": 5000000,
              "loss": 0.05,
              "queueBytes": 65536,
              "reorder": 0,
            },
          },
          {
            "a": {
              "node": "bob",
              "port": 0,
            },
            "b": {
              "node": "hub",
              "port": 0,
            },
            "id": "cable",
            "impairments": {
              "bandwidthBps": 100000000,
              "corrupt": 0,
              "duplicate": 0.5,
              "jitterNs": 100000,
              "latencyNs": 1000000,
              "loss": 0,
              "queueBytes": 131072,
              "reorder": 0,
            },
          },
        ],
        "name": "Two hosts",
        "nodes": [
          {
            "address": "10.0.0.1/24",
            "args": [
              "x",
            ],
            "id": "alice",
            "kind": "machine",
            "memoryBytes": 33554432,
            "position": {
              "x": 0,
              "y": 10,
            },
            "program": "a.c",
          },
          {
            "id": "bob",
            "kind": "machine",
            "position": {
              "x": -120,
              "y": 208,
            },
          },
          {
            "id": "hub",
            "kind": "hub",
            "position": {
              "x": -120,
              "y": -208,
            },
          },
        ],
        "seed": 7,
        "timeline": [
          {
            "atNs": 2000000000,
            "do": "cut",
            "link": "cable",
          },
          {
            "atNs": 5000000000,
            "do": "heal",
            "link": "cable",
          },
          {
            "atNs": 6000000000,
            "change": {
              "latencyNs": 20000000,
              "loss": 1,
            },
            "do": "change",
            "link": "alice-hub",
          },
          {
            "atNs": 7000000000,
            "do": "kill",
            "node": "bob",
          },
          {
            "atNs": 8000000000,
            "do": "boot",
            "node": "bob",
          },
          {
            "atNs": 9000000000,
            "do": "type",
            "node": "bob",
            "text": "ls
      ",
          },
        ],
      }
    `)
  })

  it('is written so that it is read as the same lab', () => {
    const lab = resolveLab(two)
    expect(parseLab(formatLab(lab))).toEqual(lab)
    expect(formatLab(lab).split('\n').slice(0, 6)).toMatchInlineSnapshot(`
      [
        "{",
        "  "version": 1,",
        "  "name": "Two hosts",",
        "  "seed": 7,",
        "  "duration": "30s",",
        "  "nodes": [",
      ]
    `)
  })

  it('names the place, what was expected and what was found', () => {
    const lines = [
      issues((lab) => (lab.version = 2)),
      issues((lab) => (lab.nodes[1].kind = 'router')),
      issues((lab) => (lab.nodes[1].kind = 'toaster')),
      issues((lab) => Object.assign(lab.nodes[1], { progam: 'x.c' })),
      issues((lab) => Object.assign(lab.nodes[2], { program: 'x.c' })),
      issues((lab) => Object.assign(lab.links[0], { latency: 5 })),
      issues((lab) => (lab.links[0].latency = '5 ms')),
      issues((lab) => (lab.links[0].latency = '1us')),
      issues((lab) => (lab.links[0].latency = '2h')),
      issues((lab) => Object.assign(lab.links[0], { jitter: '61min' })),
      issues((lab) => Object.assign(lab.links[0], { bandwidth: '1001Gbit' })),
      issues((lab) => (lab.links[0].loss = '500%')),
      issues((lab) => (lab.links[1].duplicate = 2)),
      issues((lab) => (lab.links[0].b = 'switch')),
      issues((lab) => (lab.links[0].b = 'hub:0')),
      issues((lab) => (lab.links[0].b = 'alice')),
      issues((lab) => (lab.links[0].a = 'bob:1')),
      issues((lab) => (lab.links[0].id = 'cable')),
      issues((lab) => (lab.nodes[1].id = 'alice')),
      issues((lab) => (lab.nodes[1].id = '-x')),
      issues((lab) => (lab.nodes[0].memory = '1MiB')),
      issues((lab) => (lab.nodes[0].address = '10.0.0.1')),
      issues((lab) => (lab.timeline[0].link = 'x')),
      issues((lab) => (lab.timeline[3].node = 'hub')),
      issues((lab) => Object.assign(lab.timeline[0], { do: 'explode' })),
      issues((lab) => Object.assign(lab.timeline, [{ at: '1s', do: 'change', link: 'cable' }])),
      issues((lab) => Object.assign(lab.checks[0], { lacks: 'x' })),
      issues((lab) => Object.assign(lab.checks[2], { matches: '(' })),
      issues((lab) => (lab.checks[0].console = 'hub')),
      issues((lab) => (lab.checks[1].by = '1s')),
      issues((lab) => Object.assign(lab, { nodes: {} })),
      issues((lab) => Object.assign(lab, { nodes: [7] })),
      issues((lab) => Object.assign(lab, { name: undefined })),
      issues((lab) => Object.assign(lab, { seed: -1 })),
    ]
    expect(lines.map((found) => found.join('\n')).join('\n')).toMatchInlineSnapshot(`
      "version: 1 | 2
      nodes[1].kind: "machine", "switch" or "hub" | "router" (Atoll has no routers yet)
      nodes[1].kind: "machine", "switch" or "hub" | "toaster"
      nodes[1].progam: no property of this name | "x.c"
      nodes[2].program: no property of this name | "x.c"
      links[0].latency: a duration with its unit, such as "5ms" | 5
      links[0].latency: a duration with its unit, such as "5ms" | "5 ms"
      links[0].latency: at least 10us | "1us"
      links[0].latency: at most 3600s | "2h"
      links[0].jitter: at most 3600s | "61min"
      links[0].bandwidth: at most 1000Gbit | "1001Gbit"
      links[0].loss: a probability from 0 to 1, or a percentage such as "5%" | "500%"
      links[1].duplicate: a probability from 0 to 1, or a percentage such as "5%" | 2
      links[0].b: the name of a node | "switch"
      timeline[2].link: the name of a link | "alice-hub"
      links[1].b: a port that no other link uses | "hub:0"
      links[0].b: a node with a free port | "alice"
      links[0].b: another node than the other end | "alice"
      timeline[2].link: the name of a link | "alice-hub"
      links[0].a: port 0, the only one of a machine | "bob:1"
      timeline[2].link: the name of a link | "alice-hub"
      links[1].id: an id of its own, since another link is called cable | "cable"
      timeline[2].link: the name of a link | "alice-hub"
      nodes[1].id: a name that no other node has | "alice"
      links[1].a: the name of a node | "bob"
      timeline[3].node: the name of a machine | "bob"
      timeline[4].node: the name of a machine | "bob"
      timeline[5].node: the name of a machine | "bob"
      checks[1].console: the name of a machine | "bob"
      checks[2].console: the name of a machine | "bob"
      nodes[1].id: a name of letters, digits and inner hyphens, at most 63 of them | "-x"
      nodes[0].memory: between 16MiB and 1GiB | "1MiB"
      nodes[0].address: an IPv4 address with its prefix, such as "10.0.0.1/24" | "10.0.0.1"
      timeline[0].link: the name of a link | "x"
      timeline[3].node: the name of a machine | "hub"
      timeline[0].do: "cut", "heal", "change", "boot", "kill" or "type" | "explode"
      timeline[0]: something that changes, such as loss | nothing
      checks[0]: exactly one of contains, matches and lacks | 2
      checks[2].matches: a regular expression of RE2, without lookaround and back-references | "(" (missing closing ): \`(\`)
      checks[0].console: the name of a machine | "hub"
      checks[1].by: a time after 1s | "1s"
      nodes: a list of nodes | an object
      nodes[0]: an object | 7
      name: a name | nothing
      seed: a whole number from 0 to 4294967295 | -1"
    `)
  })

  it('does not try a thousand patterns when the first ones are too large', () => {
    const check = { console: 'alice', matches: 'x{1000}'.repeat(100) }
    const found = issues((lab) => Object.assign(lab, { checks: Array.from({ length: 1000 }, () => check) }))
    expect(found).toHaveLength(8)
    expect(found[7]).toMatch(/^checks\[7\]\.matches: .* \(it takes \d+ steps, at most 1000 are allowed\)$/)
  })

  it('says where the JSON ends to be JSON', () => {
    const expected = 'line 3, column 3: expected JSON, here a name in double quotes, found "o"'
    expect(() => parseLab('{\n  "version": 1,\n  oops\n}')).toThrow(expected)
    expect(() => parseLab('')).toThrow(/^line 1, column 1: expected JSON/)
    expect(() => parseLab('[]')).toThrow('expected an object, found a list of 0')
  })

  it('answers whatever it is given with a lab or a LabFileError', () => {
    const random = new Random(11)
    const words = ['', 'x', '5ms', '10Mbit', '9'.repeat(40), 'alice', 'hub:7', 'alice:0', '1000000h']
    const values: unknown[] = [null, 0, -1, 1.5, [], {}, [[]], true, ...words]
    const pick = <T>(list: readonly T[]): T => list[random.next() % list.length]
    const mutate = (value: unknown): unknown => {
      if (typeof value !== 'object' || value === null || random.next() % 8 === 0) return pick(values)
      const copy = structuredClone(value) as Record<string, unknown>
      const keys = Object.keys(copy)
      const isAdding = keys.length === 0 || random.next() % 6 === 0
      if (isAdding) return Object.assign(copy, { [pick(['id', 'at', 'x', '0', '__proto__'])]: pick(values) })
      const key = pick(keys)
      if (random.next() % 5 === 0) delete copy[key]
      else copy[key] = mutate(copy[key])
      return copy
    }
    let read = 0
    for (let round = 0; round < 3000; round++) {
      let value: unknown = two
      for (let changes = 1 + (random.next() % 3); changes > 0; changes--) value = mutate(value)
      try {
        const lab = resolveLab(value)
        read += 1
        expect(parseLab(formatLab(lab))).toEqual(lab)
      } catch (error) {
        if (!(error instanceof LabFileError)) throw error
        for (const { expected, found } of error.issues) expect(expected !== '' && found !== '').toBe(true)
      }
    }
    expect(read).toBeGreaterThan(50)
  })

  it('has the JSON Schema that is published', async () => {
    await expect(`${JSON.stringify(labJsonSchema(), null, 2)}\n`).toMatchFileSnapshot('../../../../assets/lab.schema.json')
  })
})
