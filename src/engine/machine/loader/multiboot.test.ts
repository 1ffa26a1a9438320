import { describe, expect, it } from 'vitest'
import { PhysicalMemory } from '../memory.ts'
import { BadImage, loadMultiboot } from './multiboot.ts'

const MAGIC = 0x1badb002
const ADDRESSES = 1 << 16

interface Segment {
  offset: number
  virtual: number | bigint
  physical: number
  fileBytes: number
  memoryBytes: number | bigint
}

/** An image of `bytes` bytes whose byte at offset i is i & 0xff, with a Multiboot header. */
function flat(bytes: number, header: number, flags: number, addresses: number[] = []): Uint8Array {
  const image = Uint8Array.from({ length: bytes }, (_, i) => i & 0xff)
  const view = new DataView(image.buffer)
  for (const [i, value] of [MAGIC, flags, -(MAGIC + flags) >>> 0, ...addresses].entries()) view.setUint32(header + i * 4, value >>> 0, true)
  return image
}

function elf(
  bits: 32 | 64,
  entry: number | bigint,
  segments: Segment[],
  options: { machine?: number; type?: number; bytes?: number; flags?: number } = {},
): Uint8Array {
  const image = flat(options.bytes ?? 0x3000, 0x800, options.flags ?? 3)
  const view = new DataView(image.buffer)
  image.fill(0, 0, 0x400)
  image.set([0x7f, 0x45, 0x4c, 0x46, bits === 32 ? 1 : 2, 1, 1])
  view.setUint16(16, options.type ?? 2, true)
  view.setUint16(18, options.machine ?? (bits === 32 ? 3 : 62), true)
  if (bits === 32) {
    view.setUint32(24, Number(entry), true)
    view.setUint32(28, 0x100, true)
    view.setUint16(42, 32, true)
    view.setUint16(44, segments.length, true)
  } else {
    view.setBigUint64(24, BigInt(entry), true)
    view.setBigUint64(32, 0x100n, true)
    view.setUint16(54, 56, true)
    view.setUint16(56, segments.length, true)
  }
  segments.forEach((segment, i) => {
    if (bits === 32)
      [1, segment.offset, segment.virtual, segment.physical, segment.fileBytes, segment.memoryBytes].forEach((value, j) =>
        view.setUint32(0x100 + i * 32 + j * 4, Number(value), true),
      )
    else {
      view.setUint32(0x100 + i * 56, 1, true)
      ;[segment.offset, segment.virtual, segment.physical, segment.fileBytes, segment.memoryBytes].forEach((value, j) =>
        view.setBigUint64(0x108 + i * 56 + j * 8, BigInt(value), true),
      )
    }
  })
  return image
}

const TEXT: Segment = { offset: 0x1000, virtual: 0x100000, physical: 0x100000, fileBytes: 0x800, memoryBytes: 0x800 }

function refusal(image: Uint8Array, ramBytes = 4 << 20, options = {}): { reason: string; message: string } {
  const memory = new PhysicalMemory(ramBytes)
  try {
    loadMultiboot(memory, image, options)
  } catch (error) {
    if (!(error instanceof BadImage)) throw error
    expect(
      memory.ram.every((byte) => byte === 0),
      'nothing is written when an image is refused',
    ).toBe(true)
    return { reason: error.reason, message: error.message }
  }
  return expect.unreachable()
}

function cString(memory: PhysicalMemory, at: number): string {
  return new TextDecoder().decode(memory.ram.subarray(at, memory.ram.indexOf(0, at)))
}

describe('Multiboot loading', () => {
  it('loads ELF32 segments at their physical addresses and zeroes the rest', () => {
    const memory = new PhysicalMemory(16 << 20)
    memory.fill(0x100000, 0x10000, 0xee)
    const { entry } = loadMultiboot(
      memory,
      elf(32, 0x10000c, [
        { ...TEXT, memoryBytes: 0x1000 },
        { offset: 0x1800, virtual: 0x105000, physical: 0x105000, fileBytes: 0, memoryBytes: 0x20 },
      ]),
    )
    expect(entry).toBe(0x10000c)
    expect([
      memory.readU8(0x100001),
      memory.readU8(0x1007ff),
      memory.readU8(0x100800),
      memory.readU8(0x100fff),
      memory.readU8(0x101000),
    ]).toEqual([1, 0xff, 0, 0, 0xee])
    expect([memory.readU8(0x105000), memory.readU8(0x10501f), memory.readU8(0x105020)]).toEqual([0, 0, 0xee])
  })

  it('finds the physical entry of a higher-half ELF64', () => {
    const memory = new PhysicalMemory(16 << 20)
    const high = 0xffffffff80100000n
    const { entry } = loadMultiboot(memory, elf(64, high + 0x20n, [{ ...TEXT, virtual: high }]))
    expect(entry).toBe(0x100020)
    expect(loadMultiboot(memory, elf(64, 0x100040, [{ ...TEXT, virtual: high }])).entry).toBe(0x100040)
  })

  it('goes by the address fields when flag 16 is set, whatever the file is', () => {
    const memory = new PhysicalMemory(16 << 20)
    const image = flat(0x1000, 0x40, ADDRESSES, [0x200010, 0x200000, 0x200100, 0x200180, 0x200020])
    memory.fill(0x200000, 0x1000, 0xee)
    expect(loadMultiboot(memory, image).entry).toBe(0x200020)
    expect([
      memory.readU8(0x200000),
      memory.readU32(0x200010),
      memory.readU8(0x2000ff),
      memory.readU8(0x200100),
      memory.readU8(0x20017f),
      memory.readU8(0x200180),
    ]).toEqual([0x30, MAGIC, 0x2f, 0, 0, 0xee])
  })

  it('takes the whole file when load_end_addr is 0', () => {
    const memory = new PhysicalMemory(16 << 20)
    loadMultiboot(memory, flat(0x1234, 0, ADDRESSES, [0x100000, 0x100000, 0, 0, 0x100020]))
    expect(memory.readU8(0x101233)).toBe(0x33)
  })

  it('writes the information structure (section 3.3)', () => {
    const memory = new PhysicalMemory(16 << 20)
    const modules = [
      { bytes: Uint8Array.of(1, 2, 3), commandLine: 'init' },
      { bytes: Uint8Array.of(4), commandLine: 'second módulo' },
    ]
    const { info } = loadMultiboot(memory, elf(32, 0x100000, [TEXT]), { commandLine: 'console=ttyS0', modules })
    const field = (offset: number): number => memory.readU32(info + offset)
    expect(info).toBeLessThan(0x9fc00)
    expect(field(0)).toBe(0x24d)
    expect([field(4), field(8)]).toEqual([639, 15 * 1024])
    expect(cString(memory, field(16))).toBe('console=ttyS0')
    expect(field(20)).toBe(2)
    const list = field(24)
    const at = [0, 16].map((offset) => ({
      start: memory.readU32(list + offset),
      end: memory.readU32(list + offset + 4),
      line: cString(memory, memory.readU32(list + offset + 8)),
    }))
    expect(at).toEqual([
      { start: 0x101000, end: 0x101003, line: 'init' },
      { start: 0x102000, end: 0x102001, line: 'second módulo' },
    ])
    expect([...memory.read(0x101000, 3), memory.readU8(0x102000)]).toEqual([1, 2, 3, 4])
    const map: bigint[][] = []
    for (let entry = field(48); entry < field(48) + field(44); entry += memory.readU32(entry) + 4)
      map.push([memory.readU64(entry + 4), memory.readU64(entry + 12), BigInt(memory.readU32(entry + 20))])
    expect(map).toEqual([
      [0n, 0x9fc00n, 1n],
      [0x9fc00n, 0x60400n, 2n],
      [0x100000n, 0xf00000n, 1n],
    ])
    expect(cString(memory, field(64))).toBe('Atoll')
  })

  it('keeps the structure clear of an image that loads low', () => {
    const memory = new PhysicalMemory(4 << 20)
    const image = flat(0x1000, 0, ADDRESSES, [0x1000, 0x1000, 0, 0x9f000, 0x1020])
    expect(loadMultiboot(memory, image).info).toBeGreaterThanOrEqual(0x9f000)
    const beside = loadMultiboot(memory, image, { commandLine: 'x'.repeat(8192) })
    expect(beside.info).toBeGreaterThanOrEqual(0x100000)
  })

  it('tells of a video mode that it cannot give', () => {
    const memory = new PhysicalMemory(4 << 20)
    expect(loadMultiboot(memory, elf(32, 0x100000, [TEXT], { flags: 7 })).warnings).toEqual([
      'Multiboot: the image asks for a video mode, and this machine has no display',
    ])
  })
})

describe('Multiboot refusals', () => {
  it.each<[string, Uint8Array, string, RegExp]>([
    ['an empty file', new Uint8Array(0), 'not-multiboot', /^The file is empty\.$/],
    ['a text file', new TextEncoder().encode('int main(void) { return 0; }'), 'not-multiboot', /^The file is no Multiboot image/],
    [
      'an ELF without header',
      elf(32, 0x100000, [TEXT]).map((byte, i) => (i === 0x800 ? 0 : byte)),
      'not-multiboot',
      /^The ELF is no Multiboot image: it has no Multiboot header in its first 8192 bytes\.$/,
    ],
    [
      'a header whose checksum is wrong',
      flat(0x1000, 0, ADDRESSES, []).map((byte, i) => (i === 8 ? byte ^ 1 : byte)),
      'not-multiboot',
      /Multiboot header/,
    ],
    ['a flat image without addresses', flat(0x1000, 0, 3), 'not-multiboot', /does not say where/],
    ['an unknown requirement', flat(0x1000, 0, ADDRESSES | 0x10, [0, 0, 0, 0, 0]), 'unsupported', /flags 0x10/],
    ['an ELF for ARM', elf(64, 0x100000, [TEXT], { machine: 183 }), 'wrong-machine', /^The file is an ELF for AArch64, not for x86\.$/],
    ['an object file', elf(64, 0x100000, [TEXT], { type: 1 }), 'not-executable', /relocatable object/],
    ['an ELF without segments', elf(64, 0x100000, []), 'not-executable', /no loadable segment/],
    ['a cut ELF header', elf(64, 0x100000, [TEXT]).slice(0, 50), 'truncated', /ELF header is cut off: the file has 50 bytes/],
    [
      'a cut segment',
      elf(64, 0x100000, [TEXT]).slice(0, 0x1400),
      'truncated',
      /ends before segment 0 does: it has 5120 bytes and needs 6144/,
    ],
    [
      'cut program headers',
      elf(32, 0x100000, Array.from({ length: 60_000 }, () => TEXT).slice(0, 1), {}).map((byte, i) => (i === 44 || i === 45 ? 0xff : byte)),
      'truncated',
      /ends before its program headers do/,
    ],
    [
      'more in the file than in memory',
      elf(64, 0x100000, [{ ...TEXT, memoryBytes: 1 }]),
      'truncated',
      /2048 bytes in the file but only 1 in memory/,
    ],
    [
      'a 2 GiB claim',
      elf(64, 0x100000, [{ ...TEXT, memoryBytes: 2n ** 31n }]),
      'outside-ram',
      /claims memory from 0x100000 to 0x80100000, but the machine has 4 MiB/,
    ],
    ['a claim beyond 2^64', elf(64, 0x100000, [{ ...TEXT, memoryBytes: 2n ** 64n - 1n }]), 'outside-ram', /claims memory/],
    ['overlapping segments', elf(64, 0x100000, [TEXT, { ...TEXT, physical: 0x100400 }]), 'overlap', /both claim memory at 0x100400/],
    ['video memory', elf(64, 0xb8000, [{ ...TEXT, virtual: 0xb8000, physical: 0xb8000 }]), 'overlap', /video memory and firmware/],
    ['an entry elsewhere', elf(64, 0x300000, [TEXT]), 'outside-ram', /entry point 0x300000/],
    [
      'a flat image cut short',
      flat(0x1000, 0, ADDRESSES, [0x100000, 0x100000, 0x102000, 0, 0x100000]),
      'truncated',
      /has 4096 bytes and needs 8192/,
    ],
    [
      'a header not in its image',
      flat(0x1000, 0, ADDRESSES, [0x100000, 0x200000, 0, 0, 0x200000]),
      'truncated',
      /says 0x100000 in an image from 0x200000 on/,
    ],
    [
      'a header before the file',
      flat(0x1000, 0, ADDRESSES, [0x100100, 0x100000, 0, 0, 0x100000]),
      'truncated',
      /at offset 0x0 of the file/,
    ],
    [
      'an image that ends before its header',
      flat(0x1000, 0x10, ADDRESSES, [0x100010, 0x100000, 0x100008, 0, 0x100000]),
      'truncated',
      /before the header itself/,
    ],
    [
      'zeroes that end before the data',
      flat(0x1000, 0, ADDRESSES, [0x100000, 0x100000, 0x101000, 0x100800, 0x100000]),
      'overlap',
      /before the end of the image/,
    ],
    ['a header at the end of the file', flat(0x40, 0x34, ADDRESSES), 'truncated', /ends within its Multiboot header/],
  ])('%s', (_, image, reason, message) => {
    const refused = refusal(image)
    expect(refused.message).toMatch(message)
    expect(refused.reason).toBe(reason)
  })

  it('modules that do not fit', () => {
    expect(refusal(elf(32, 0x100000, [TEXT]), 4 << 20, { modules: [{ bytes: new Uint8Array(3 << 20), commandLine: '' }] }).message).toMatch(
      /A module of 3145728 bytes does not fit/,
    )
  })

  it('survives every prefix and every flipped byte of the headers with BadImage or success', () => {
    const image = elf(64, 0x100000, [TEXT])
    const memory = new PhysicalMemory(4 << 20)
    const attempt = (bytes: Uint8Array): void => {
      try {
        loadMultiboot(memory, bytes)
      } catch (error) {
        expect(error).toBeInstanceOf(BadImage)
      }
    }
    for (let length = 0; length < image.length; length += 7) attempt(image.slice(0, length))
    for (const at of [
      ...Array(64).keys(),
      ...Array.from({ length: 56 }, (_, i) => 0x100 + i),
      ...Array.from({ length: 32 }, (_, i) => 0x800 + i),
    ])
      for (const flip of [0x01, 0x80, 0xff]) attempt(image.map((byte, i) => (i === at ? byte ^ flip : byte)))
  })
})
