import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Random } from '../../../random/random.ts'
import { MAC_BROADCAST } from './address.ts'
import { emitArp } from './arp.ts'
import { EtherType, emitEthernet } from './ethernet.ts'
import { emitIcmp } from './icmp.ts'
import { IpProtocol, emitIpv4 } from './ipv4.ts'
import { TcpFlag, emitTcp, resetFor } from './tcp.ts'
import { emitUdp } from './udp.ts'

const hasTshark = spawnSync('tshark', ['--version']).status === 0

const ends = { source: 0x0a000001, destination: 0x0a000002 }
const packet = (protocol: number, payload: Uint8Array): Uint8Array =>
  emitIpv4({
    typeOfService: 0, identification: 7, dontFragment: true, moreFragments: false, fragmentOffset: 0, ttl: 64, protocol, ...ends, payload,
  })
const frame = (type: number, payload: Uint8Array): Uint8Array =>
  emitEthernet({ destination: 0x525400000002, source: 0x525400000001, type, payload })

/** A frame of every kind that we send. */
function frames(): Uint8Array[] {
  const random = new Random(5)
  const ports = { sourcePort: 49152, destinationPort: 7007 }
  const syn = { ...ports, sequence: 1, acknowledgment: 0, flags: TcpFlag.SYN, window: 0, payload: random.bytes(0) }
  const datagrams = [0, 1, 17, 1472].map((length) => emitUdp({ ...ports, payload: random.bytes(length) }, ends))
  const echoes = [false, true].map((isReply) => emitIcmp({ kind: 'echo', isReply, identifier: 1, sequence: 2, data: random.bytes(56) }))
  const reset = resetFor(syn)
  const ip = [
    ...datagrams.map((bytes) => packet(IpProtocol.UDP, bytes)),
    ...echoes.map((bytes) => packet(IpProtocol.ICMP, bytes)),
    packet(IpProtocol.ICMP, emitIcmp({ kind: 'error', type: 3, code: 3, detail: 0, quoted: packet(IpProtocol.UDP, datagrams[1]) })),
    packet(IpProtocol.TCP, emitTcp(syn, ends)),
    ...(reset === null ? [] : [packet(IpProtocol.TCP, emitTcp(reset, ends))]),
  ]
  const arp = { operation: 1, senderMac: 0x525400000001, senderAddress: ends.source, targetMac: 0, targetAddress: ends.destination }
  return [
    ...ip.map((bytes) => frame(EtherType.IPV4, bytes)),
    frame(EtherType.ARP, emitArp(arp)),
    frame(EtherType.ARP, emitArp({ ...arp, operation: 2, targetMac: 0x525400000002 })),
    emitEthernet({
      destination: MAC_BROADCAST, source: 0x525400000001, type: EtherType.ARP, payload: emitArp({ ...arp, senderAddress: 0 }),
    }),
  ]
}

/** A capture in libpcap's first format: enough to hand frames to tshark. */
function pcap(list: readonly Uint8Array[]): Uint8Array {
  const u32 = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer)
  const parts = [u32(0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1)]
  list.forEach((bytes, index) => parts.push(u32(index, 0, bytes.length, bytes.length), bytes))
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}

describe('tshark', () => {
  it.skipIf(!hasTshark)('reads every frame that we emit, with right checksums and nothing malformed', () => {
    const folder = mkdtempSync(join(tmpdir(), 'atoll-tshark-'))
    try {
      const file = join(folder, 'frames.pcap')
      writeFileSync(file, pcap(frames()))
      const checks = ['ip.check_checksum', 'udp.check_checksum', 'tcp.check_checksum'].flatMap((name) => ['-o', `${name}:TRUE`])
      const run = (...args: string[]): string => {
        const { stdout, stderr, status } = spawnSync('tshark', ['-r', file, ...checks, ...args], { encoding: 'utf8' })
        expect(status, stderr).toBe(0)
        return stdout
      }
      // The expert severity "error" holds malformed packets and wrong checksums.
      expect(run('-Y', '_ws.malformed || _ws.expert.severity >= 0x00800000')).toBe('')
      expect(run('-T', 'fields', '-e', '_ws.col.Protocol').trim().split('\n')).toEqual([
        'UDP', 'UDP', 'UDP', 'UDP', 'ICMP', 'ICMP', 'ICMP', 'TCP', 'TCP', 'ARP', 'ARP', 'ARP',
      ])
      expect(run('-T', 'fields', '-e', 'icmp.checksum.status').trim().split(/\s+/)).toEqual(['1', '1', '1'])
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
