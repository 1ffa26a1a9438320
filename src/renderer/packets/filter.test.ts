import { expect, it } from 'vitest'
import type { CapturedFrame } from '../../protocol/lab.ts'
import { decodeFrame } from './decode.ts'
import { parseFilter } from './filter.ts'
import { arpFrame, echoFrame, udpFrame } from './testing/build-frame.ts'

const frame = (bytes: Uint8Array, change: Partial<CapturedFrame> = {}): CapturedFrame => ({
  number: 1,
  timeNs: 0,
  link: 'l1',
  from: 'alice',
  to: 'switch-1',
  fate: 'delivered',
  bytes,
  ...change,
})

const subjects = {
  arp: { frame: frame(arpFrame(1)), info: 'Who has 10.0.0.2? Tell 10.0.0.1', fate: 'delivered' },
  echo: { frame: frame(echoFrame(8, 1), { from: 'bob', link: 'l2' }), info: 'Echo request', fate: 'delivered' },
  chat: {
    frame: frame(udpFrame(5000, 5353, new TextEncoder().encode('speak of tcp')), { fate: 'lost' }),
    info: '“speak of tcp”',
    fate: 'lost on the way',
  },
}

function found(text: string): string[] {
  const matches = parseFilter(text)
  return Object.entries(subjects).flatMap(([name, subject]) =>
    matches({ ...subject, decoded: decodeFrame(subject.frame.bytes) }) ? [name] : [],
  )
}

it.each([
  ['', ['arp', 'echo', 'chat']],
  ['   ', ['arp', 'echo', 'chat']],
  ['arp', ['arp']],
  ['ICMP', ['echo']],
  ['tcp', []],
  ['"of tcp"', ['chat']],
  ['bob', ['echo']],
  ['alice udp', ['chat']],
  ['!arp', ['echo', 'chat']],
  ['-udp -arp', ['echo']],
  ['proto:ipv4', ['echo', 'chat']],
  ['from:alice', ['arp', 'chat']],
  ['de:bob', ['echo']],
  ['to:10.0.0.2', ['echo', 'chat']],
  ['link:l2', ['echo']],
  ['fate:lost', ['chat']],
  ['puerto:5353', ['chat']],
  ['10.0.0.1 who', ['arp']],
  ['unknown:key', []],
  ['"unclosed', []],
  ['node:', ['arp', 'echo', 'chat']],
])('%j finds %j', (text, names) => {
  expect(found(text)).toEqual(names)
})
