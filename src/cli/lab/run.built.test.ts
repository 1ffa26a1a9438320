import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readPcapng } from '../../engine/network/capture/testing/read-pcapng.ts'
import { ExitStatus } from '../exit-status.ts'
import type { LabRunResult } from './testing/lab-run.ts'
import { labRunIn } from './testing/lab-run.ts'

/** `atoll lab run` as people run it: the built one, with real machines in real workers. */

let folder: string

const HEAD = '#include <atoll.h>\n'
const LISTEN = `${HEAD}
void _start(void) {
  struct atoll_address here = {.family = AF_INET, .port = __builtin_bswap16(7000)};
  char text[64];
  int fd = sys_socket(AF_INET, SOCK_DGRAM, 0);
  if (sys_bind(fd, &here) != 0) sys_exit(1);
  for (;;) {
    int64_t length = sys_recv(fd, text, sizeof text, 0);
    if (length < 0) sys_exit(2);
    sys_write(1, "got ", 4);
    sys_write(1, text, (size_t)length);
    sys_write(1, "\\n", 1);
  }
}
`
const TALK = `${HEAD}
void _start(void) {
  struct atoll_address there = {.family = AF_INET, .port = __builtin_bswap16(7000), .address = __builtin_bswap32(0x0a000002)};
  int fd = sys_socket(AF_INET, SOCK_DGRAM, 0);
  for (int i = 0; i < 20; i++) {
    sys_sendto(fd, "hello", 5, 0, &there);
    sys_sleep(100000000);
  }
  sys_exit(0);
}
`

function lab(name: string, content: object): string {
  mkdirSync(join(folder, name))
  for (const [file, text] of [
    ['talk.c', TALK],
    ['listen.c', LISTEN],
    ['lab.json', JSON.stringify({ version: 1, name, ...content })],
  ])
    writeFileSync(join(folder, name, file), text)
  return name
}

const labRun = (...args: string[]): Promise<LabRunResult> => labRunIn(folder, ...args)

const TOPOLOGY = {
  duration: '3s',
  nodes: [
    { id: 'a', kind: 'machine', address: '10.0.0.1/24', program: 'talk.c' },
    { id: 'b', kind: 'machine', address: '10.0.0.2/24', program: 'listen.c' },
    { id: 'c', kind: 'machine' },
    { id: 's', kind: 'switch' },
  ],
  links: [
    { a: 'a', b: 's', loss: '20%', jitter: '2ms' },
    { a: 'b', b: 's' },
    { a: 'c', b: 's' },
  ],
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'atoll-lab-'))
  lab('talking', {
    ...TOPOLOGY,
    timeline: [
      { at: '1s', do: 'cut', link: 'b-s' },
      { at: '1.5s', do: 'heal', link: 'b-s' },
      { at: '500ms', do: 'type', node: 'c', text: 'say typed | wc\r' },
      { at: '2s', do: 'kill', node: 'b' },
      { at: '2.2s', do: 'boot', node: 'b' },
    ],
    checks: [
      { console: 'b', contains: 'got hello', by: '1s' },
      { console: 'b', lacks: 'got hello', from: '1.01s', by: '1.5s' },
      { console: 'c', matches: '^1 1 6$', by: '2s' },
    ],
  })
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('atoll lab run', () => {
  it('does the same however many workers there are, and another thing with another seed', async () => {
    const results: { hash: string; stdout: string; capture: Buffer; trace: string }[] = []
    for (const [workers, seed] of [
      ['0', '7'],
      ['1', '7'],
      ['2', '7'],
      ['2', '8'],
    ]) {
      const outputs = ['--capture', 'out.pcapng', '--trace', 'out.json']
      const { status, stdout, stderr } = await labRun('talking', '--workers', workers, '--seed', seed, ...outputs)
      expect(stderr).toBe('')
      expect(status).toBe(ExitStatus.OK)
      const [, hash] = /\ntrace ([0-9a-f]{64})\n$/.exec(stdout) ?? []
      expect(hash).toBeDefined()
      const trace = readFileSync(join(folder, 'out.json'), 'utf8')
      expect(JSON.parse(trace)).toHaveProperty('traceEvents')
      results.push({ hash, stdout, capture: readFileSync(join(folder, 'out.pcapng')), trace })
    }
    const [first, second, third, other] = results
    expect(second).toEqual(first)
    expect(third).toEqual(first)
    expect(other.hash).not.toBe(first.hash)
    expect(other.capture.equals(first.capture)).toBe(false)

    const { interfaces, packets } = readPcapng(first.capture)
    expect(interfaces.map(({ name }) => name).sort()).toEqual(['a-s', 'b-s', 'c-s'])
    expect(new Set(packets.map(({ comment }) => comment))).toEqual(new Set([undefined, 'lost', 'cut']))
    expect(first.stdout).toContain('b | got hello\n')
    expect(first.stdout).toContain('  * b-s: cut\n')
  })

  it('ends when it is told to, and says which checks failed', async () => {
    const { status, stdout, stderr } = await labRun('talking', '--until', '400ms')
    expect(status).toBe(ExitStatus.CHECK_FAILED)
    expect(stderr).toBe(
      'atoll: check failed: c matches /^1 1 6$/: c: no line matched /^1 1 6$/ by 400ms; its last line was "atoll$ "\n',
    )
    expect(stdout).not.toContain('b-s: cut')
    expect(stdout).toMatch(/\ntrace [0-9a-f]{64}\n$/)
  })

  it('refuses what is wrong, with the place', async () => {
    const [a, b] = ['a', 'b'].map((id) => ({ id, kind: 'machine' }))
    const many = Array.from({ length: 300 }, (_, index) => ({ id: `m${index}`, kind: 'machine' }))
    lab('dangling', { nodes: [a], links: [{ a: 'a', b: 'x' }] })
    lab('lost', { nodes: [{ ...a, program: 'nowhere.c' }] })
    lab('unbuildable', { nodes: [{ ...a, program: 'bad.c' }] })
    writeFileSync(join(folder, 'unbuildable', 'bad.c'), 'void _start(void) {')
    lab('crowded', { nodes: many })
    lab('empty', { nodes: [{ id: 's', kind: 'switch' }] })
    lab('shared', { nodes: [a, b, { id: 's', kind: 'switch' }], links: [{ a: 'a', b: 's:1' }, { a: 'b', b: 's:1' }] })
    lab('instant', { nodes: [a, b], links: [{ a: 'a', b: 'b', latency: '0ms' }] })
    lab('huge', { nodes: [{ ...a, memory: '999999999999GiB' }] })
    lab('broken', {})
    writeFileSync(join(folder, 'broken', 'lab.json'), '{\n  "version": 1,\n}')
    for (const [args, message] of [
      ['missing', 'atoll: cannot open missing: there is no such file'],
      ['broken', 'atoll: lab.json: line 3, column 1: expected JSON'],
      ['dangling', 'atoll: lab.json: links[0].b: expected the name of a node, found "x"'],
      ['shared', 'atoll: lab.json: links[1].b: expected a port that no other link uses, found "s:1"'],
      ['instant', 'atoll: lab.json: links[0].latency: expected at least 10us, found "0ms"'],
      ['huge', 'atoll: lab.json: nodes[0].memory: expected '],
      ['crowded', 'atoll: lab.json: nodes: expected at most 256 nodes, found a list of 300'],
      ['empty', 'atoll: the lab has no machine to run'],
      ['lost', 'atoll: there is no program nowhere.c'],
      ['unbuildable', 'atoll: bad.c has an error'],
      ['talking --until soon', "atoll: option '--until <duration>' argument 'soon' is invalid. expected a duration"],
      ['talking --capture nowhere/out.pcapng', 'atoll: cannot write nowhere/out.pcapng: there is no such file'],
    ]) {
      const { status, stdout, stderr } = await labRun(...args.split(' '))
      expect(stderr).toContain(message)
      expect(stderr).not.toMatch(/^\s+at .*:\d+/m)
      expect([status, stdout]).toEqual([ExitStatus.USAGE_OR_BUILD, ''])
    }
  })
})
