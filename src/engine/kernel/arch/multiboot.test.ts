import { describe, expect, it } from 'vitest'
import { PhysicalMemory } from '../../machine/memory.ts'
import { parseBootOptions } from '../boot-options.ts'
import { Random } from '../../random/random.ts'
import { quoteWord, readMultibootInfo, splitCommandLine } from './multiboot.ts'

describe('command line', () => {
  it('splits at spaces, outside quotes and without backslash', () => {
    expect(splitCommandLine('  a b  "c d" e\\ f "" g"h"i ')).toEqual(['a', 'b', 'c d', 'e f', '', 'ghi'])
  })

  it('gives back whatever was quoted', () => {
    const random = new Random(5)
    const alphabet = [...'ab "\\=-é']
    for (let round = 0; round < 500; round++) {
      const word = (): string => Array.from({ length: random.next() % 6 }, () => alphabet[random.next() % alphabet.length]).join('')
      const words = Array.from({ length: random.next() % 4 }, word)
      expect(splitCommandLine(words.map(quoteWord).join(' '))).toEqual(words)
    }
  })

  it('names the first program, its arguments and the seed', () => {
    const network = { address: null, gateway: null, hostname: 'atoll' }
    expect(parseBootOptions('init=/bin/a seed=7 -- a "b c"')).toEqual({ init: '/bin/a', args: ['a', 'b c'], seed: 7, network })
    expect(parseBootOptions('quiet')).toEqual({ init: '/init', args: ['/init'], seed: 0, network })
  })

  it('configures the network, and leaves a name that is none alone', () => {
    const { network } = parseBootOptions('address=10.0.0.1/24 gateway=10.0.0.254 hostname=alice -- hostname=bob')
    expect(network).toEqual({ address: '10.0.0.1/24', gateway: '10.0.0.254', hostname: 'alice' })
    for (const name of ['', '-a', 'a b', 'ä', 'a.b', 'x'.repeat(64)])
      expect(parseBootOptions(`"hostname=${name}"`).network.hostname, name).toBe('atoll')
  })
})

describe('readMultibootInfo', () => {
  const INFO = 0x9000

  it('reads memory map, command line and modules', () => {
    const memory = new PhysicalMemory(2 << 20)
    memory.writeU32(INFO, (1 << 2) | (1 << 3) | (1 << 6))
    memory.writeU32(INFO + 16, 0xa000)
    memory.write(0xa000, new TextEncoder().encode('init=/x\0'))
    memory.writeU32(INFO + 20, 1)
    memory.writeU32(INFO + 24, 0xb000)
    memory.writeU32(0xb000, 0x110000)
    memory.writeU32(0xb004, 0x110123)
    memory.writeU32(INFO + 44, 48)
    memory.writeU32(INFO + 48, 0xc000)
    const entries = [{ base: 0n, length: 0x9fc00n, type: 1 }, { base: 0x100000n, length: 0x100000n, type: 2 }]
    entries.forEach(({ base, length, type }, index) => {
      const at = 0xc000 + index * 24
      memory.writeU32(at, 20)
      memory.writeU64(at + 4, base)
      memory.writeU64(at + 12, length)
      memory.writeU32(at + 20, type)
    })
    const info = readMultibootInfo(memory, INFO)
    expect(info.commandLine).toBe('init=/x')
    expect(info.available).toEqual([{ start: 0, end: 0x9fc00 }])
    expect(info.modules).toEqual([{ start: 0x110000, end: 0x110123, commandLine: '' }])
    expect(info.occupied).toContainEqual({ start: 0xc000, end: 0xc030 })
  })

  it('wants a memory map', () => {
    expect(() => readMultibootInfo(new PhysicalMemory(2 << 20), INFO)).toThrow('no memory map')
  })
})
