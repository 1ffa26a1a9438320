import { describe, expect, it } from 'vitest'
import { Random } from '../../random/random.ts'
import { ElfError, parseElf } from './elf.ts'
import { CODE, makeElf } from './testing.ts'

const MIB = 1 << 20
const MEMORY = 64 * MIB
const TEXT = { flags: 5, address: 0x201000, bytes: CODE }

/** Code and sentence of the refusal. */
function refusal(file: Uint8Array): string {
  try {
    parseElf(file, MEMORY)
  } catch (error) {
    if (error instanceof ElfError) return `${error.code}: ${error.message}`
    throw error
  }
  return 'accepted'
}

const patched = (patch: (view: DataView, file: Uint8Array) => void): Uint8Array => {
  const file = makeElf()
  patch(new DataView(file.buffer), file)
  return file
}

describe('parseElf', () => {
  it('reads a program', () => {
    expect(parseElf(makeElf(), MEMORY)).toEqual({
      entry: 0x201000,
      bias: 0,
      segments: [{ address: 0x201000, fileOffset: 4096, fileBytes: 2, memoryBytes: 2, flags: 5 }],
      programHeaders: 0,
      programHeaderCount: 1,
    })
  })

  it('moves a position-independent program to its base', () => {
    const image = parseElf(makeElf({ type: 3, entry: 0x1000, segments: [{ flags: 5, address: 0x1000, bytes: CODE }] }), MEMORY)
    expect(image.bias).toBe(0x555555554000)
    expect(image.entry).toBe(0x555555555000)
    expect(image.segments[0].address).toBe(0x555555555000)
  })

  it('finds the program headers that a segment maps', () => {
    const whole = makeElf({ segments: [{ flags: 5, address: 0x200000, offset: 0, fileBytes: 122, memoryBytes: 122 }], entry: 0x200078 })
    const file = new Uint8Array(122)
    file.set(whole)
    expect(parseElf(file, MEMORY).programHeaders).toBe(0x200040)
  })

  it.each<[string, Uint8Array, string]>([
    ['0 bytes', new Uint8Array(0), 'empty: this file is empty (0 bytes): it is no program'],
    [
      'a text',
      new TextEncoder().encode('#!/bin/sh'),
      'not-elf: this file is not an ELF program: it starts with 23 21 2f 62, expected 7f 45 4c 46',
    ],
    ['two bytes', Uint8Array.of(0x7f, 0x45), 'not-elf: this file is not an ELF program: it starts with 7f 45, expected 7f 45 4c 46'],
    ['a header cut off', makeElf().slice(0, 40), 'truncated: this ELF is truncated: it has 40 bytes, its header alone needs 64'],
    [
      'program headers cut off',
      makeElf().slice(0, 100),
      'truncated: this ELF is truncated: its program headers end at byte 120, the file at byte 100',
    ],
    [
      'a segment cut off',
      makeElf().slice(0, 4097),
      'truncated: this ELF is truncated: its segment 0 ends at byte 4098, the file at byte 4097',
    ],
    ['ARM', makeElf({ machine: 40 }), 'wrong-machine: this ELF is for ARM (EM_ARM); the machine here is x86-64 (EM_X86_64)'],
    [
      '32-bit ARM',
      patched((view, file) => { file[4] = 1; view.setUint16(18, 40, true) }),
      'wrong-machine: this ELF is for ARM (EM_ARM); the machine here is x86-64 (EM_X86_64)',
    ],
    [
      'big-endian SPARC',
      patched((view, file) => { file[5] = 2; view.setUint16(18, 43) }),
      'wrong-machine: this ELF is for SPARC V9 (EM_SPARCV9); the machine here is x86-64 (EM_X86_64)',
    ],
    [
      'a machine nobody knows',
      makeElf({ machine: 9999 }),
      'wrong-machine: this ELF is for machine number 9999; the machine here is x86-64 (EM_X86_64)',
    ],
    ['x32', patched((_view, file) => { file[4] = 1 }), 'wrong-class: this ELF is of class 1 (32-bit), expected 2 (64-bit)'],
    [
      'big-endian',
      patched((view, file) => { file[5] = 2; view.setUint16(18, 62) }),
      'wrong-class: this ELF has byte order 2 (big-endian), expected 1 (little-endian)',
    ],
    [
      'an object file',
      makeElf({ type: 1 }),
      'wrong-type: this ELF is an object file that has not been linked (ET_REL), expected a program (ET_EXEC)',
    ],
    ['a core dump', makeElf({ type: 4 }), 'wrong-type: this ELF is a core dump (ET_CORE), expected a program (ET_EXEC)'],
    ['a type nobody knows', makeElf({ type: 77 }), 'wrong-type: this ELF is of type 77, expected a program (ET_EXEC, 2, or ET_DYN, 3)'],
    ['a version nobody knows', patched((view) => view.setUint32(20, 9, true)), 'malformed: this ELF is of version 9, expected 1'],
    [
      'odd program headers',
      patched((view) => view.setUint16(54, 32, true)),
      'malformed: this ELF has program headers of 32 bytes, the format has 56',
    ],
    ['no program headers', makeElf({ segments: [] }), 'malformed: this ELF has no program headers: there is nothing to load'],
    [
      'nothing to load',
      makeElf({ segments: [{ type: 6, flags: 4, address: 0x200000 }] }),
      'malformed: this ELF has no PT_LOAD segment: there is nothing to load',
    ],
    [
      'an interpreter',
      makeElf({ segments: [{ type: 3, flags: 4, address: 0x200000, bytes: CODE }] }),
      'dynamically-linked: this ELF is dynamically linked; link it statically (-static)',
    ],
    [
      '2 GiB',
      makeElf({ segments: [{ flags: 6, address: 0x200000, bytes: CODE, memoryBytes: 2 * 1024 * MIB }] }),
      'too-large: this ELF claims 2.0 GiB for its segment 0, but the machine has 64.0 MiB of memory',
    ],
    [
      'too much in all',
      makeElf({ segments: [0, 1].map((index) => ({ flags: 6, address: 0x10000000 * (index + 1), bytes: CODE, memoryBytes: 40 * MIB })) }),
      'too-large: this ELF claims 80.0 MiB in all, but the machine has 64.0 MiB of memory',
    ],
    [
      'more in the file than in memory',
      makeElf({ segments: [{ flags: 5, address: 0x201000, bytes: CODE, memoryBytes: 1 }] }),
      "malformed: this ELF's segment 0 has 2 bytes in the file but only 1 in memory",
    ],
    [
      'the null page',
      makeElf({ segments: [{ flags: 5, address: 0, bytes: CODE }], entry: 0 }),
      "malformed: this ELF's segment 0 would lie at 0x0, outside user space (0x10000 to 0x7ffffffff000)",
    ],
    [
      'the kernel half',
      makeElf({ segments: [{ flags: 5, address: 0x800000000000, bytes: CODE }] }),
      "malformed: this ELF's segment 0 would lie at 0x800000000000, outside user space (0x10000 to 0x7ffffffff000)",
    ],
    [
      'an offset that does not fit the address',
      makeElf({ segments: [{ flags: 5, address: 0x201010, bytes: CODE }] }),
      "malformed: this ELF's segment 0 has address 0x201010 and file offset 0x1000, which differ within a page",
    ],
    [
      'W+X',
      makeElf({ segments: [{ flags: 7, address: 0x201000, bytes: CODE }] }),
      "writable-and-executable: this ELF's segment 0 at 0x201000 is both writable and executable, which no page may be",
    ],
    [
      'an overlap',
      makeElf({ segments: [{ ...TEXT, memoryBytes: 0x1001 }, { ...TEXT, address: 0x202000 }] }),
      "overlap: this ELF's segments at 0x201000 and 0x202000 overlap",
    ],
    [
      'a shared page',
      makeElf({ segments: [{ flags: 5, address: 0x201000, bytes: CODE }, { flags: 6, address: 0x201800, offset: 0x2800, bytes: CODE }] }),
      "overlap: this ELF's segments at 0x201000 and 0x201800 share a page but not its protection",
    ],
    [
      'an entry outside',
      makeElf({ entry: 0x300000 }),
      'bad-entry: this ELF starts at 0x300000, which lies in none of its executable segments',
    ],
    [
      'an entry in data',
      makeElf({ segments: [{ flags: 6, address: 0x201000, bytes: CODE }] }),
      'bad-entry: this ELF starts at 0x201000, which lies in none of its executable segments',
    ],
  ])('refuses %s in one sentence', (_what, file, expected) => {
    expect(refusal(file)).toBe(expected)
  })

  it('takes any bytes without any other exception', () => {
    const random = new Random(1)
    for (let round = 0; round < 20_000; round++) {
      const file = makeElf()
      const length = random.next() % 3 === 0 ? random.next() % file.length : file.length
      for (let change = random.next() % 4; change >= 0; change--) file[random.next() % 120] = random.next()
      expect(refusal(file.slice(0, length))).toMatch(/^(accepted|[a-z-]+: this .*[^.])$/)
    }
  })
})
