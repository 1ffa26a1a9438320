import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { Cpu } from '../src/engine/machine/cpu/cpu.ts'
import { Machine } from '../src/engine/machine/machine.ts'
import type { MachineOptions } from '../src/engine/machine/machine.ts'
import { residentBytes } from './peers.ts'
import { sampleMachine } from './rounds.ts'

/**
 * A process of its own for each sample, since what V8 does with Wasm is decided by the process's flags and shared in it. Prints one line of
 * JSON.
 *
 * - `kernels counted IMAGE...`: milliseconds of the fastest warm round of each bare image; `uncounted`: by regions that do not count.
 * - `once TIER IMAGE INSTRUCTIONS`: figures for each instruction of an image whose code runs once, or of so many of them at least, on two
 *   machines, one after the other.
 */
const RAM_BYTES = 16 << 20
/** How far the machine runs between two looks at it, in virtual time. */
const SLICE_NS = 20_000
const END = 'E'.charCodeAt(0)
/** V8 shares code with modules that are alive, as those of a lab are. */
const alive: Machine[] = []

/** Milliseconds spent in making code and in compiling it. */
interface Spent {
  translating: number
  compiling: number
}

function timed<Arguments extends unknown[], Result>(run: (...args: Arguments) => Result, add: (ms: number) => void) {
  return (...args: Arguments): Result => {
    const start = performance.now()
    try {
      return run(...args)
    } finally {
      add(performance.now() - start)
    }
  }
}

/** Measures what this process compiles from now on; all that the engine does so is a `new`. */
function watchCompiler(spent: Spent): void {
  const add = (ms: number): void => {
    spent.compiling += ms
  }
  const watched = <Constructor extends object>(constructor: Constructor): Constructor =>
    new Proxy(constructor, { construct: timed((target, args) => Reflect.construct(target as new () => object, args) as object, add) })
  WebAssembly.Module = watched(WebAssembly.Module)
  WebAssembly.Instance = watched(WebAssembly.Instance)
}

function kernels(kind: string, images: readonly string[]): Record<string, number> {
  const counts = kind === 'counted'
  return Object.fromEntries(images.map((image) => {
    const figures = sampleMachine(readFileSync(image), 'auto', (memory, host, options) => new Cpu(memory, host, { ...options, counts }))
    return [basename(image, '.bin'), figures['warm ms']]
  }))
}

/** Runs an image until it has done its round, or so many instructions. */
function runOnce(image: Uint8Array, tier: MachineOptions['tier'], limit: number, instrument: (cpu: Cpu) => void): Record<string, number> {
  const machine = new Machine({ ramBytes: RAM_BYTES, tier })
  alive.push(machine)
  const { totals } = machine.cpu.regions
  const printed = new Set<number>()
  machine.serial.onTransmit = (byte) => printed.add(byte)
  machine.loadMultiboot(image)
  instrument(machine.cpu)
  const start = performance.now()
  while (!printed.has(END) && machine.instructions < limit) machine.run(machine.clock.nowNs + SLICE_NS)
  return { ns: ((performance.now() - start) * 1e6) / machine.instructions, ...totals }
}

function once(tier: MachineOptions['tier'], path: string, limit: number): Record<string, number> {
  const image = readFileSync(path)
  const spent: Spent = { translating: 0, compiling: 0 }
  watchCompiler(spent)
  const figures: Record<string, number> = {}
  for (const name of ['first', 'later']) {
    spent.translating = spent.compiling = 0
    const { ns, regions, instructions, guestBytes, wasmBytes } = runOnce(image, tier, limit, (cpu) => {
      cpu.regions.translate = timed(cpu.regions.translate.bind(cpu.regions), (ms) => {
        spent.translating += ms
      })
    })
    if (regions === 0) figures[`${name} machine: run once, ns`] = ns
    else {
      figures[`${name} machine: generate, us`] = ((spent.translating - spent.compiling) * 1000) / instructions
      figures[`${name} machine: compile, us`] = (spent.compiling * 1000) / instructions
      figures['Wasm bytes for a guest byte'] = wasmBytes / guestBytes
      figures['guest bytes translated'] = (figures['guest bytes translated'] ?? 0) + guestBytes
    }
  }
  globalThis.gc?.()
  return { ...figures, 'bytes resident': residentBytes(process.pid) }
}

const [mode, kind, ...images] = process.argv.slice(2)
console.log(JSON.stringify(mode === 'kernels' ? kernels(kind, images) : once(kind as MachineOptions['tier'], images[0], Number(images[1]))))
