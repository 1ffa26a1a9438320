import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PcapngWriter } from './pcapng.ts'
import { readPcapng } from './testing/read-pcapng.ts'

const hasTshark = spawnSync('tshark', ['--version']).status === 0

function record(use: (writer: PcapngWriter) => void): Uint8Array {
  const pieces: Uint8Array[] = []
  use(new PcapngWriter((bytes) => pieces.push(bytes)))
  return Uint8Array.from(pieces.flatMap((piece) => [...piece]))
}

/** A broadcast of the local experimental EtherType 1, with as many bytes after the header. */
function frame(payloadBytes: number): Uint8Array {
  const header = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52, 0x54, 0, 0, 0, 1, 0x88, 0xb5]
  return Uint8Array.from([...header, ...Array.from({ length: payloadBytes }, (_, index) => index & 0xff)])
}

/** Two links, one of them named in more than ASCII; frames of every remainder modulo 4; times beyond 32 bits. */
const CAPTURE = record((writer) => {
  writer.link('left', 'outbound from alice:0 to switch:0')
  writer.packet({ link: 'left', direction: 'a-to-b', timeNs: 1, frame: frame(0) })
  writer.packet({ link: 'left', direction: 'b-to-a', timeNs: 999_999_999, frame: frame(1), comment: 'dropped: lost' })
  writer.link('rechts – ü', 'outbound from bob:0 to switch:1')
  writer.packet({ link: 'rechts – ü', direction: 'a-to-b', timeNs: 2 ** 32, frame: frame(2) })
  writer.packet({ link: 'rechts – ü', direction: 'a-to-b', timeNs: Number.MAX_SAFE_INTEGER, frame: frame(1504) })
})

describe('PcapngWriter', () => {
  it('writes what a reader of the format finds again', () => {
    expect(readPcapng(CAPTURE)).toEqual({
      application: 'Atoll',
      interfaces: [
        { name: 'left', description: 'outbound from alice:0 to switch:0', linkType: 1, timeResolution: 9 },
        { name: 'rechts – ü', description: 'outbound from bob:0 to switch:1', linkType: 1, timeResolution: 9 },
      ],
      packets: [
        { interface: 0, timeNs: 1n, flags: 2, frame: frame(0), comment: undefined },
        { interface: 0, timeNs: 999_999_999n, flags: 1, frame: frame(1), comment: 'dropped: lost' },
        { interface: 1, timeNs: 2n ** 32n, flags: 2, frame: frame(2), comment: undefined },
        { interface: 1, timeNs: 2n ** 53n - 1n, flags: 2, frame: frame(1504), comment: undefined },
      ],
    })
  })

  it('writes these bytes', () => {
    const bytes = record((writer) => {
      writer.link('lan', 'a to b')
      writer.packet({ link: 'lan', direction: 'a-to-b', timeNs: 2 ** 32 + 5, frame: frame(1), comment: 'lost' })
    })
    const lines = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('').match(/.{1,32}/g)
    expect(lines).toMatchInlineSnapshot(`
      [
        "0a0d0d0a2c0000004d3c2b1a01000000",
        "ffffffffffffffff0400050041746f6c",
        "6c000000000000002c00000001000000",
        "34000000010000000000000002000300",
        "6c616e00030006006120746f20620000",
        "09000100090000000000000034000000",
        "06000000440000000000000001000000",
        "050000000f0000000f000000ffffffff",
        "ffff52540000000188b5000001000400",
        "6c6f7374020004000200000000000000",
        "44000000",
      ]
    `)
  })

  it('gives a link that was wired anew an interface of its own', () => {
    const { interfaces, packets } = readPcapng(
      record((writer) => {
        for (const timeNs of [1, 2]) {
          writer.link('lan', `wiring ${timeNs}`)
          writer.packet({ link: 'lan', direction: 'a-to-b', timeNs, frame: frame(0) })
        }
      }),
    )
    expect(interfaces.map(({ name, description }) => `${name} ${description}`)).toEqual(['lan wiring 1', 'lan wiring 2'])
    expect(packets.map((packet) => packet.interface)).toEqual([0, 1])
  })

  it('refuses a packet of a link that was not declared, and a name that the format cannot hold', () => {
    const writer = new PcapngWriter(() => undefined)
    expect(() => writer.packet({ link: 'lan', direction: 'a-to-b', timeNs: 0, frame: frame(0) })).toThrow('the capture knows no link lan')
    expect(() => writer.link('x'.repeat(65_536), '')).toThrow('holds 65535 bytes, not 65536')
  })

  it.skipIf(!hasTshark)('is read by tshark: names, directions, exact times, comments, nothing malformed', () => {
    const folder = mkdtempSync(join(tmpdir(), 'atoll-pcapng-'))
    try {
      const file = join(folder, 'lab.pcapng')
      writeFileSync(file, CAPTURE)
      const run = (...args: string[]): string[] => {
        const { stdout, stderr, status } = spawnSync('tshark', ['-r', file, ...args], { encoding: 'utf8' })
        expect(status, stderr).toBe(0)
        return stdout.split('\n').filter((line) => line !== '')
      }
      const fields = ['frame.interface_name', 'frame.time_epoch', 'frame.len', 'frame.comment', 'eth.type']
      expect(run('-T', 'fields', '-E', 'separator=|', ...fields.flatMap((name) => ['-e', name]))).toEqual([
        'left|0.000000001|14||0x88b5',
        'left|0.999999999|15|dropped: lost|0x88b5',
        'rechts – ü|4.294967296|16||0x88b5',
        'rechts – ü|9007199.254740991|1518||0x88b5',
      ])
      // Some releases show the number in hexadecimal.
      expect(run('-T', 'fields', '-e', 'frame.packet_flags_direction').map(Number)).toEqual([2, 1, 2, 2])
      expect(run('-Y', '_ws.malformed || _ws.expert.severity >= 0x00800000')).toEqual([])
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
