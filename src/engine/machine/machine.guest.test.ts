import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findCompiler } from '../toolchain/zig.ts'
import { NS_PER_INSTRUCTION } from './cpu/state.ts'
import { pitNsOf } from './devices/pit8254.ts'
import { Machine, type MachineState } from './machine.ts'

/**
 * Guests of our own on the whole machine, in every tier, and on QEMU where it is installed. testing/board.expected.txt is what
 * QEMU 7.2 answers.
 */
const SOURCES = fileURLToPath(new URL('testing', import.meta.url))
const INSTALLATION = fileURLToPath(new URL('../../..', import.meta.url))
const TIERS = ['interpreter', 'translator', 'auto'] as const
const COMMAND_LINE = 'hello'
/** QEMU ends with (value << 1) | 1. */
const QEMU_STATUS_OF_0 = 1

let folder: string
let board: Uint8Array
/** A tick every 10 ms, longer than a slice, and one every 0.25 ms, within the slice that enables interrupts. */
const DIVISORS = [11_932, 301] as const
let ticks: Record<number, Uint8Array>

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'atoll-guest-'))
  board = build('board', ['board.S', 'board.c'])
  ticks = Object.fromEntries(DIVISORS.map((divisor) => [divisor, build(`ticks-${divisor}`, ['ticks.S'], `-DDIVISOR=${divisor}`)]))
})
afterAll(() => rmSync(folder, { recursive: true }))

function build(name: string, sources: string[], ...options: string[]): Uint8Array {
  const { clang, lld } = findCompiler({ installation: INSTALLATION })
  const run = ([file, ...first]: readonly string[], ...args: string[]): void => {
    execFileSync(file, [...first, ...args], { stdio: 'pipe' })
  }
  const objects = sources.map((source) => join(folder, `${name}-${source}.o`))
  sources.forEach((source, i) => {
    const flags = ['--target=i386-unknown-none-elf', '-O2', '-ffreestanding', '-fno-builtin', '-fno-pic', '-mno-sse']
    run(clang, ...flags, ...options, '-Werror', '-Wall', '-Wextra', '-c', join(SOURCES, source), '-o', objects[i])
  })
  const image = join(folder, name)
  run(lld, '-static', '--build-id=none', '-T', join(SOURCES, 'board.ld'), ...objects, '-o', image)
  return readFileSync(image)
}

interface Outcome {
  console: string
  state: MachineState
  instructions: number
  ns: number
  warnings: string[]
}

/** Boots an image and lets it run for ten virtual seconds at most, in steps of `stepNs`. */
function boot(image: Uint8Array, tier: (typeof TIERS)[number], stepNs = 10_000_000_000): Outcome {
  const warnings: string[] = []
  const machine = new Machine({ ramBytes: 16 << 20, tier, onWarning: (message) => warnings.push(message) })
  const bytes: number[] = []
  machine.serial.onTransmit = (byte) => bytes.push(byte)
  machine.loadMultiboot(image, { commandLine: COMMAND_LINE })
  for (let ns = stepNs; machine.state.kind === 'running' && ns <= 10_000_000_000; ns += stepNs) machine.run(ns)
  return {
    console: String.fromCharCode(...bytes),
    state: machine.state,
    instructions: machine.instructions,
    ns: machine.clock.nowNs,
    warnings,
  }
}

const hasQemu = ((): boolean => {
  try {
    execFileSync('qemu-system-x86_64', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

/** What the image prints under QEMU, and QEMU's exit status. */
function qemu(name: string, ...options: string[]): Promise<{ console: string; status: unknown }> {
  const args = ['-kernel', join(folder, name), '-append', COMMAND_LINE, '-m', '16', '-serial', 'stdio', '-display', 'none']
  args.push('-no-reboot', '-device', 'isa-debug-exit,iobase=0xf4,iosize=4', ...options)
  return new Promise((resolve) => {
    const child = execFile('qemu-system-x86_64', args, { timeout: 50_000 }, (error, stdout) => {
      resolve({ console: stdout, status: error?.code ?? 0 })
    })
    child.stdin?.end()
  })
}

describe('the board, asked by a guest', () => {
  const expected = readFileSync(join(SOURCES, 'board.expected.txt'), 'utf8')

  let first: Outcome | undefined

  it.each(TIERS)('answers as QEMU does, at the same instructions in every tier (%s)', (tier) => {
    const outcome = boot(board, tier)
    first ??= outcome
    expect(outcome.console).toBe(expected)
    expect(outcome.state).toEqual({ kind: 'exited', code: 0 })
    expect(outcome.warnings).toEqual(['no device at port 0x5f0: read of 1 byte gives all ones'])
    expect(outcome).toEqual(first)
  })

  it('answers so however the run is cut', () => {
    expect(boot(board, 'auto', 1_234_567)).toEqual(first)
  })

  it.skipIf(!hasQemu)('answers so on the QEMU that is installed', async () => {
    expect(await qemu('board')).toEqual({ console: expected, status: QEMU_STATUS_OF_0 })
  })
})

describe('the timer, counted by a guest', () => {
  const TICKS = 8
  /** Instructions of ticks.S before its loop, and of its handler. The timer is started at pulse 0, by instruction 32. */
  const PROLOGUE = 35
  const HANDLER = 10

  /** Turns of a loop of INC and JMP that have counted when the timer's line rises for the (k + 1)th time. */
  const expected = (divisor: number): number[] =>
    Array.from({ length: TICKS }, (_, k) => {
      const edgeNs = pitNsOf(1 + (k + 1) * divisor)
      const executed = Math.ceil(edgeNs / NS_PER_INSTRUCTION) - PROLOGUE - k * HANDLER
      return Math.ceil(executed / 2)
    })
  const counts = (console: string): number[] =>
    console
      .trimEnd()
      .split('\n')
      .map((line) => parseInt(line, 16))

  it.each(DIVISORS.flatMap((divisor) => TIERS.map((tier) => [divisor, tier] as const)))(
    'interrupts after exactly as many instructions as its rate says (divisor %i, %s)',
    (divisor, tier) => {
      expect(counts(boot(ticks[divisor], tier).console)).toEqual(expected(divisor))
    },
  )

  it.each(DIVISORS)('does so however the run is cut (divisor %i)', (divisor) => {
    const outcome = boot(ticks[divisor], 'auto')
    for (const stepNs of [999_999, 10_000_000, 31_415_926]) expect(boot(ticks[divisor], 'auto', stepNs)).toEqual(outcome)
  })

  it.skipIf(!hasQemu).each(DIVISORS)('agrees with QEMU at two nanoseconds an instruction (divisor %i)', async (divisor) => {
    const { console, status } = await qemu(`ticks-${divisor}`, '-icount', 'shift=1,sleep=off')
    expect(status).toBe(QEMU_STATUS_OF_0)
    // QEMU's timer runs at 1,193,182 Hz, a fifth of a hertz fast, and rounds to nanoseconds: one turn in 2.5 million.
    const turns = (list: number[]): number[] => list.slice(1).map((count, i) => count - list[i])
    turns(counts(console)).forEach((count, i) => expect(Math.abs(count - turns(expected(divisor))[i])).toBeLessThanOrEqual(1))
  })
})
