import { describe, expect, it } from 'vitest'
import { Machine } from '../machine.ts'
import { PhysicalMemory } from '../memory.ts'
import { BadImage } from './bad-image.ts'
import { isMultiboot2, loadMultiboot2 } from './multiboot2.ts'

const MIB = 1 << 20
const MAGIC = 0xe85250d6
const AT = 0x40
type Tag = [type: number, flags: number, ...content: number[]]
const ADDRESS: Tag = [2, 0, MIB + AT, MIB, 0, 0]
const ENTRY: Tag = [3, 0, MIB + 0x200]

/** A flat image of 0x400 bytes that goes to 1 MiB. At its entry it writes the low half of EBX to port 0xf4 if EAX is the magic. */
function flat(tags: Tag[], { architecture = 0, length = -1 } = {}): Uint8Array {
  const image = new Uint8Array(0x400)
  const view = new DataView(image.buffer)
  let at = AT + 16
  for (const [type, flags, ...content] of [...tags, [0, 0] as Tag]) {
    view.setUint16(at, type, true)
    view.setUint16(at + 2, flags, true)
    view.setUint32(at + 4, 8 + content.length * 4, true)
    content.forEach((word, i) => view.setUint32(at + 8 + i * 4, word, true))
    at += Math.ceil((8 + content.length * 4) / 8) * 8
  }
  const size = length < 0 ? at - AT : length
  ;[MAGIC, architecture, size, -(MAGIC + architecture + size)].forEach((word, i) => view.setUint32(AT + i * 4, word >>> 0, true))
  // cmp eax, 0x36d76289; jne +7; mov eax, ebx; mov edx, 0xf4 …; out dx, eax
  image.set([0x3d, 0x89, 0x62, 0xd7, 0x36, 0x75, 0x08, 0x89, 0xd8, 0xba, 0xf4, 0, 0, 0, 0xef, 0xf4], 0x200)
  return image
}

function refusal(image: Uint8Array): { reason: string; message: string } {
  const memory = new PhysicalMemory(4 * MIB)
  try {
    loadMultiboot2(memory, image)
  } catch (error) {
    if (!(error instanceof BadImage)) throw error
    expect(memory.ram.every((byte) => byte === 0), 'nothing is written when an image is refused').toBe(true)
    return { reason: error.reason, message: error.message }
  }
  return expect.unreachable()
}

/** The tags of the boot information, in order, with their content. */
function readTags(memory: PhysicalMemory, info: number): [type: number, content: Uint8Array][] {
  const tags: [number, Uint8Array][] = []
  for (let at = info + 8, end = info + memory.readU32(info); at < end;) {
    const bytes = memory.readU32(at + 4)
    tags.push([memory.readU32(at), memory.read(at + 8, bytes - 8)])
    at += Math.ceil(bytes / 8) * 8
  }
  return tags
}

describe('a Multiboot2 image', () => {
  it('is entered with the magic in EAX and its information in EBX', () => {
    const machine = new Machine({ ramBytes: 4 * MIB })
    machine.loadKernel(flat([ADDRESS, ENTRY]), 'kernel')
    expect(machine.run(1e6)).toEqual({ kind: 'exited', code: 0x1000 })
  })

  it('gets command line, loader name, modules, memory and ACPI as tags (3.6)', () => {
    const memory = new PhysicalMemory(4 * MIB)
    memory.write(0xe0000, Uint8Array.from({ length: 36 }, (_, i) => i + 1))
    const modules = [{ bytes: Uint8Array.of(7, 8), commandLine: 'a b' }]
    const { info } = loadMultiboot2(memory, flat([ADDRESS, ENTRY]), { commandLine: 'kernel x', modules, rsdp: 0xe0000 })
    const tags = readTags(memory, info)
    const words = (bytes: Uint8Array): number[] => [...new Uint32Array(bytes.slice(0, bytes.length & ~3).buffer)]
    const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
    expect(tags.map(([type]) => type)).toEqual([1, 2, 3, 4, 6, 14, 15, 0])
    const content = new Map(tags)
    expect(text(content.get(1)!)).toBe('kernel x\0')
    expect(text(content.get(2)!)).toBe('Atoll\0')
    const [start, end] = words(content.get(3)!)
    expect([...memory.read(start, end - start)]).toEqual([7, 8])
    expect([start % 4096, text(content.get(3)!.subarray(8))]).toEqual([0, 'a b\0'])
    expect(words(content.get(4)!)).toEqual([639, 3 * 1024])
    expect(words(content.get(6)!)).toEqual([24, 0, 0, 0, 0x9fc00, 0, 1, 0, 0x9fc00, 0, 0x60400, 0, 2, 0, MIB, 0, 3 * MIB, 0, 1, 0])
    expect([content.get(14)!.length, content.get(15)!.length, content.get(15)![35]]).toEqual([20, 36, 36])
  })

  it('is told from other files', () => {
    expect(isMultiboot2(flat([ADDRESS, ENTRY]))).toBe(true)
    expect(isMultiboot2(new Uint8Array(100))).toBe(false)
  })

  it('may ask for what matters to other loaders', () => {
    const memory = new PhysicalMemory(4 * MIB)
    const { warnings } = loadMultiboot2(memory, flat([ADDRESS, ENTRY, [1, 0, 1, 6], [6, 0], [5, 1, 0, 0, 0], [99, 1]]))
    expect(warnings).toEqual(['Multiboot2: the image asks for a framebuffer, and this machine has no display'])
  })
})

describe('is refused with a reason', () => {
  it.each([
    ['no header', new Uint8Array(64), 'not-multiboot', /no Multiboot2 header/],
    ['MIPS', flat([ADDRESS, ENTRY], { architecture: 4 }), 'wrong-machine', /architecture 4/],
    ['a header beyond the file', flat([ADDRESS, ENTRY], { length: 0x4000 }), 'truncated', /ends within its Multiboot2 header/],
    ['no end tag', flat([ADDRESS, ENTRY], { length: 40 }), 'truncated', /without an end tag/],
    ['no address', flat([ENTRY]), 'not-multiboot', /does not say where it is to be loaded/],
    ['no entry', flat([ADDRESS]), 'not-executable', /does not say where to start/],
    ['a tag that is too short', flat([[2, 0, MIB]]), 'truncated', /too few/],
    ['an unknown requirement', flat([ADDRESS, ENTRY, [99, 0]]), 'unsupported', /tag of type 99/],
    ['information that is not there', flat([ADDRESS, ENTRY, [1, 0, 13]]), 'unsupported', /boot information of type 13/],
    ['a console', flat([ADDRESS, ENTRY, [4, 0, 1]]), 'unsupported', /requires a console/],
    ['an end beyond the file', flat([[2, 0, MIB + AT, MIB, MIB + 0x500, 0], ENTRY]), 'truncated', /not within a file of 1024 bytes/],
    ['zeroes before the end', flat([[2, 0, MIB + AT, MIB, 0, MIB + 8], ENTRY]), 'overlap', /end of the zeroed data/],
    ['an entry elsewhere', flat([ADDRESS, [3, 0, 2 * MIB]]), 'outside-ram', /entry point 0x200000/],
  ])('%s', (_, image, reason, message) => {
    const refused = refusal(image)
    expect(refused.message).toMatch(message)
    expect(refused.reason).toBe(reason)
  })

  it('survives every prefix and every flipped byte of the header with BadImage or success', () => {
    const image = flat([ADDRESS, ENTRY, [1, 0, 1, 6]])
    const memory = new PhysicalMemory(4 * MIB)
    const attempt = (bytes: Uint8Array): void => {
      try {
        loadMultiboot2(memory, bytes)
      } catch (error) {
        expect(error).toBeInstanceOf(BadImage)
      }
    }
    for (let length = 0; length < image.length; length += 3) attempt(image.slice(0, length))
    const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer)
    for (let at = AT; at < AT + 0x60; at++)
      for (const flip of [0x01, 0x10, 0x80, 0xff]) {
        const bytes = image.map((byte, i) => (i === at ? byte ^ flip : byte))
        // A right checksum lets the damage through to the tags.
        const sum = [0, 4, 8].reduce((total, offset) => total + view(bytes).getUint32(AT + offset, true), 0)
        view(bytes).setUint32(AT + 12, -sum >>> 0, true)
        attempt(bytes)
      }
  })
})
