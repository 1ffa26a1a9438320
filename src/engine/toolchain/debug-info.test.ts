import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { readDebugInfo } from './debug-info.ts'
import { readLineTables } from './dwarf-line.ts'
import { ElfError, findSection, readSections, readSymbols } from './elf.ts'
import { INSTALLATION, SHARED_CACHE, buildText } from './testing/folders.ts'
import { Toolchain } from './toolchain.ts'

const SOURCE = `#include <atoll.h>
volatile int sink;
__attribute__((noinline)) int first(int x) {
  sink = x;
  return x + 1;
}
__attribute__((noinline)) int second(int x) {
  return first(x) * 3;
}
void _start(void) {
  sink = second(7);
  sys_exit(0);
}
`

const toolchain = new Toolchain({ installation: INSTALLATION, cacheDirectory: SHARED_CACHE })
const programs = new Map<string, Uint8Array>()

async function program(...flags: string[]): Promise<Uint8Array> {
  const build = await buildText(toolchain, 'user/debug.c', SOURCE, { flags })
  if (!build.ok) throw new Error(build.message ?? JSON.stringify(build.diagnostics))
  return build.output
}

beforeAll(async () => {
  programs.set('DWARF 5', await program())
  programs.set('DWARF 4', await program('-gdwarf-4'))
  programs.set('DWARF 3', await program('-gdwarf-3'))
  programs.set('DWARF 2', await program('-gdwarf-2'))
  programs.set('DWARF 5, 64-bit', await program('-gdwarf64'))
  programs.set('-O0', await program('-O0'))
})

function addressOf(elf: Uint8Array, name: string): bigint {
  const symbol = readSymbols(readSections(elf)).find(each => each.name === name)
  if (!symbol) throw new Error(`no ${name}`)
  return symbol.value
}

describe('where an address is', () => {
  test.each(['DWARF 5', 'DWARF 4', 'DWARF 3', 'DWARF 2', 'DWARF 5, 64-bit', '-O0'])('%s', name => {
    const elf = programs.get(name) as Uint8Array
    const symbols = readDebugInfo(elf)
    const at = addressOf(elf, 'first')
    expect(symbols.locate(at)).toMatchObject({ function: 'first', offset: 0, file: 'user/debug.c', line: 3 })
    expect(symbols.locate(Number(at))).toEqual(symbols.locate(at))
    expect(symbols.locate(at + 1n)).toMatchObject({ function: 'first', offset: 1 })
    expect(symbols.locate(addressOf(elf, 'second'))).toMatchObject({ function: 'second', line: 7 })
    const lines = new Set(Array.from({ length: 16 }, (_, offset) => symbols.locate(at + BigInt(offset))?.line))
    expect(lines).toContain(4)
  })

  test('code that was inlined is where it was written', () => {
    const elf = programs.get('DWARF 5') as Uint8Array
    const symbols = readDebugInfo(elf)
    const files = new Set(Array.from({ length: 256 }, (_, offset) => symbols.locate(addressOf(elf, 'first') + BigInt(offset))?.file))
    expect(files).toContain('user/include/atoll.h')
  })

  test('addresses without code are nowhere', () => {
    const symbols = readDebugInfo(programs.get('DWARF 5') as Uint8Array)
    for (const address of [0, -1, 0x400000, 1e300, NaN, 0.5, -(2 ** 63), 2n ** 64n - 1n, 0xffffffff80100000n, -1n])
      expect(symbols.locate(address)).toBeNull()
  })

  test('the boot image, at addresses that no double can hold', async () => {
    const symbols = readDebugInfo(await toolchain.assembleBoot())
    const text = readSections(await toolchain.assembleBoot()).find(section => section.name === '.text')
    const places = Array.from({ length: text?.bytes.length ?? 0 }, (_, offset) => symbols.locate((text?.address ?? 0n) + BigInt(offset)))
    expect(places.some(place => place?.file === 'assets/boot/boot.S' && (place.line ?? 0) > 1)).toBe(true)
    expect(new Set(places.map(place => place?.function)).size).toBeGreaterThan(3)
  })

  test('without debug information there is still the function', async () => {
    const elf = await program('-g0')
    expect(readDebugInfo(elf).locate(addressOf(elf, 'second'))).toEqual({ function: 'second', offset: 0 })
  })

  test('the lines of the source that have code, and those of start.S', () => {
    const sections = readSections(programs.get('DWARF 5') as Uint8Array)
    const bytes = (name: string): Uint8Array => findSection(sections, name)?.bytes ?? new Uint8Array()
    const sequences = readLineTables({ line: bytes('.debug_line'), lineStrings: bytes('.debug_line_str'), strings: bytes('.debug_str') })
    const rows = sequences.flatMap(({ files, fileIndices, lines }) => lines.map((line, at) => `${files[fileIndices[at]]}:${line}`))
    for (const expected of ['user/debug.c:4', 'user/debug.c:5', 'user/debug.c:8', 'user/debug.c:11', 'user/lib/start.S:16'])
      expect(rows).toContain(expected)
  })
})

describe('what is no debug information', () => {
  const arm = new Uint8Array(64)
  arm.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  arm[18] = 183

  test.each([
    ['an empty file', new Uint8Array(), 'an ELF file has at least 64 bytes, this one has 0'],
    ['a text', new TextEncoder().encode('x'.repeat(100)), 'an ELF file starts with 7f454c46, this one with 78787878'],
    [
      'a 32-bit file', Uint8Array.from(arm, (byte, at) => at === 4 ? 1 : byte),
      'expected a 64-bit little-endian ELF file (class 2, data 1), found class 1, data 1'
    ],
    ['a program for ARM', arm, 'expected an ELF file for x86-64 (machine 62), found machine 183']
  ])('%s', (_, bytes, message) => {
    expect(() => readDebugInfo(bytes)).toThrow(new ElfError(message))
  })

  test('a file without sections has nothing to say', () => {
    const bytes = Uint8Array.from(arm)
    bytes[18] = 62
    expect(readDebugInfo(bytes).locate(0x401000)).toBeNull()
  })
})

/** Mulberry32: the same damage every time. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Asks for a few addresses; the only error there may be is an ElfError, and every answer is well-formed. */
function survive(bytes: Uint8Array, addresses: readonly bigint[]): void {
  let symbols
  try {
    symbols = readDebugInfo(bytes)
  } catch (error) {
    expect(error).toBeInstanceOf(ElfError)
    return
  }
  for (const address of addresses) {
    const place = symbols.locate(address)
    if (place === null) continue
    expect(typeof place.function).toBe('string')
    expect(place.offset).toBeGreaterThanOrEqual(0)
    if (place.line !== undefined) expect(place.line).toBeGreaterThan(0)
  }
}

describe('damaged files', () => {
  const addresses = (elf: Uint8Array): bigint[] => [addressOf(elf, 'first'), addressOf(elf, '_start') + 4n, 0n, 2n ** 64n - 1n]

  test.each(['DWARF 5', 'DWARF 4', 'DWARF 5, 64-bit'])('%s, a few bytes anywhere', name => {
    const elf = programs.get(name) as Uint8Array
    const asked = addresses(elf)
    const next = random(1)
    for (let round = 0; round < 3000; round++) {
      const bytes = Uint8Array.from(elf)
      for (let count = 1 + Math.floor(next() * 8); count > 0; count--) bytes[Math.floor(next() * bytes.length)] = Math.floor(next() * 256)
      survive(bytes, asked)
    }
  })

  test.each(['DWARF 5', 'DWARF 4', 'DWARF 5, 64-bit'])('%s, many bytes of the line table, its strings and the symbols', name => {
    const elf = programs.get(name) as Uint8Array
    const asked = addresses(elf)
    const next = random(2)
    const targets = readSections(elf).filter(section => ['.debug_line', '.debug_line_str', '.symtab', '.strtab'].includes(section.name))
    for (let round = 0; round < 3000; round++) {
      const bytes = Uint8Array.from(elf)
      for (const { bytes: target } of targets) {
        const start = target.byteOffset - elf.byteOffset
        const rate = next() < 0.5 ? 0.01 : 0.3
        for (let at = 0; at < target.length; at++)
          if (next() < rate) bytes[start + at] = next() < 0.3 ? 0xff : Math.floor(next() * 256)
      }
      survive(bytes, asked)
    }
  })

  test('cut anywhere', () => {
    const elf = programs.get('DWARF 5') as Uint8Array
    const asked = addresses(elf)
    for (let length = 0; length < elf.length; length += 7) survive(elf.slice(0, length), asked)
  })

  test('a line table of nothing but one byte', () => {
    for (let byte = 0; byte < 256; byte++) {
      const line = new Uint8Array(4096).fill(byte)
      expect(readLineTables({ line, lineStrings: line, strings: line })).toEqual([])
    }
  })

  test('a table that counts two thousand million files', () => {
    // DWARF 5 header: no directory format, then 2^31 directories of no bytes each.
    const body = [5, 0, 8, 0, 12, 0, 0, 0, 1, 1, 1, 0xfb, 14, 1, 0, 0x80, 0x80, 0x80, 0x80, 8]
    const line = Uint8Array.from([body.length, 0, 0, 0, ...body])
    expect(readLineTables({ line, lineStrings: line, strings: line })).toEqual([])
  })
})

test('a real program with musl is read whole', async () => {
  await toolchain.prepareMusl()
  const build = await toolchain.build({ path: 'user/posix_hello.c', file: join(INSTALLATION, 'user', 'posix_hello.c') })
  if (!build.ok) throw new Error(build.message)
  const symbols = readDebugInfo(build.output)
  expect(symbols.locate(addressOf(build.output, 'main'))).toMatchObject({ function: 'main', file: 'user/posix_hello.c' })
  expect(symbols.locate(addressOf(build.output, 'printf'))).toMatchObject({ function: 'printf', offset: 0 })
}, 600_000)
