import { describe, expect, it } from 'vitest'
import type { ShellService } from '../../protocol/shell.ts'
import { checkArgs, parseDurationNs, parseMemory, parseSeed } from './machine-options.ts'
import { TYPED_BYTES_MAX } from './validation-schemas.ts'
import { validated } from './validation.ts'

const calls: unknown[][] = []
const service = new Proxy({} as ShellService, {
  get:
    (_, name) =>
    async (...args: unknown[]) => {
      calls.push([name, ...args])
    },
})
const checked = validated(service) as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>

describe('validated', () => {
  it.each([
    ['readFile', [7], 'readFile: path: Invalid input: expected string, received number'],
    ['readFile', [], 'readFile: path: Invalid input: expected string, received undefined'],
    ['readFile', ['a', 'b'], 'readFile: expected at most 1 arguments, found 2'],
    ['readFile', ['x'.repeat(5000)], 'readFile: path: Too big'],
    ['attach', [{}], 'attach: expected at most 0 arguments, found 1'],
    ['boot', ['hello.c'], 'boot: request: Invalid input: expected object, received string'],
    ['boot', [{ program: 'a', memoryBytes: '64M' }], 'boot: request.memoryBytes: Invalid input: expected number, received string'],
    ['boot', [{ program: 'a', memoryBytes: 2 ** 40 }], 'boot: request.memoryBytes: Too big'],
    ['boot', [{ program: 'a', memoryBytes: 64e6 + 0.5 }], 'boot: request.memoryBytes: Invalid input: expected int'],
    ['boot', [{ program: 'a', pace: 'warp' }], 'boot: request.pace: Invalid option'],
    ['boot', [{ program: 'a', shell: '/bin/sh' }], 'boot: request: Unrecognized key'],
    ['boot', [{ program: 'a', args: [1] }], 'boot: request.args.0: Invalid input: expected string, received number'],
    ['type', ['m1', [1, 2]], 'type: bytes: Invalid input'],
  ])('%s(%j) is refused: %s', async (method, args, message) => {
    await expect(checked[method](...args)).rejects.toThrow(message)
  })

  it('bounds what is typed in one call', async () => {
    await expect(checked.type('m1', new Uint8Array(TYPED_BYTES_MAX + 1))).rejects.toThrow('type: bytes: at most')
  })

  it('passes what is right, with null for what was left out', async () => {
    calls.length = 0
    await checked.writeFile('a.c', 'text', null)
    await checked.boot({ program: 'a.c', seed: null, pace: 'fast' })
    await checked.type('m1', new Uint8Array([1]))
    expect(calls).toEqual([
      ['writeFile', 'a.c', 'text', undefined],
      ['boot', { program: 'a.c', seed: undefined, pace: 'fast' }],
      ['type', 'm1', new Uint8Array([1])],
    ])
  })
})

describe('options', () => {
  it('reads amounts of memory', () => {
    expect(parseMemory('64M')).toBe(64 * 2 ** 20)
    expect(parseMemory('1GiB')).toBe(2 ** 30)
    expect(parseMemory('32768k')).toBe(32 * 2 ** 20)
    expect(parseMemory(String(16 * 2 ** 20 + 1))).toBe(16 * 2 ** 20 + 4096)
    for (const text of ['', '64X', '-1M', '1K', '2G', '1e9', 'M', '0x10M'])
      expect(() => parseMemory(text)).toThrow(/expected an amount|between 16M and 1024M/)
  })

  it('reads durations', () => {
    expect(parseDurationNs('2s')).toBe(2e9)
    expect(parseDurationNs('250ms')).toBe(250e6)
    expect(parseDurationNs('1.5')).toBe(1.5e9)
    expect(parseDurationNs('2m')).toBe(120e9)
    for (const text of ['', '0s', '-1s', '1 day', 'soon', '1e3', '99999999h'])
      expect(() => parseDurationNs(text)).toThrow('expected a duration')
  })

  it('refuses arguments that no machine could be told', () => {
    checkArgs(['plain', 'ñ'.repeat(20_000), ''])
    expect(() => checkArgs(['x'.repeat(61_000)])).toThrow('the arguments take 59.6 KiB, at most 58.6 KiB fit')
    expect(() => checkArgs(['"'.repeat(31_000)])).toThrow('at most 58.6 KiB fit')
    expect(() => checkArgs(['a\0b'])).toThrow('NUL')
  })

  it('reads seeds', () => {
    expect(parseSeed('0')).toBe(0)
    expect(parseSeed('4294967295')).toBe(2 ** 32 - 1)
    for (const text of ['', '-1', '1.5', '4294967296', 'x']) expect(() => parseSeed(text)).toThrow('expected a seed')
  })
})
