import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { generateDocs, generateHeader } from './generate.ts'
import { syscalls } from '../table.ts'

/** `ATOLL_UPDATE=1 npx vitest run src/engine/kernel/syscall/testing/generate.test.ts` writes the files instead of comparing them. */
const update = process.env['ATOLL_UPDATE'] === '1'

const committed = (path: string, generated: string): string => {
  const file = fileURLToPath(new URL(`../../../../../${path}`, import.meta.url))
  if (update) writeFileSync(file, generated)
  return readFileSync(file, 'utf8')
}

describe('generated from the system call table', () => {
  it('user/include/atoll.h is current', () => {
    expect(committed('user/include/atoll.h', generateHeader())).toBe(generateHeader())
  })

  it('docs/abi.md is current', () => {
    expect(committed('docs/abi.md', generateDocs())).toBe(generateDocs())
  })
})

describe('the table', () => {
  it('numbers calls upwards, the first 23 as the seed report does', () => {
    const numbers = syscalls.map((call) => call.number)
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
    expect(numbers.slice(0, 23)).toEqual(numbers.slice(0, 23).map((_, index) => index + 1))
    expect(syscalls.slice(0, 23).map((call) => call.name)).toEqual([
      'EXIT', 'YIELD', 'LOG', 'MMAP', 'FORK', 'EXEC', 'WAIT', 'READ', 'WRITE', 'OPEN', 'CLOSE', 'STAT', 'WASM_LOAD', 'WASM_EXEC',
      'SOCKET', 'BIND', 'LISTEN', 'ACCEPT', 'CONNECT', 'SEND', 'RECV', 'SENDTO', 'RECVFROM',
    ])
  })

  it('gives no call more arguments than there are registers', () => {
    for (const call of syscalls) expect(call.arguments.length).toBeLessThanOrEqual(6)
  })
})
