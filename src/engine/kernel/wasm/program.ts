import { FrameOffset, TrapFrame } from '../arch/trap-frame.ts'
import { PAGE_BYTES, STACK_BOTTOM, STACK_TOP } from '../arch/layout.ts'
import type { AddressSpace } from '../memory/address-space.ts'
import { Protection } from '../memory/address-space.ts'
import type { Process } from '../process/process.ts'
import { Signal } from '../process/signals.ts'
import { Wait } from '../process/wait.ts'
import { OpenFlag } from '../fs/open-file.ts'
import type { Call, Result } from '../syscall/context.ts'
import { writeNode } from '../syscall/calls.ts'
import { KernelError } from '../syscall/errno.ts'
import { syscalls } from '../syscall/table.ts'
import { ExternalKind, typeOfFunction } from './binary/module.ts'
import type { CompiledModule } from './compile.ts'
import type { WasmValue } from './instance.ts'
import { WasmLimit } from './limits.ts'
import type { ProcessModules, Step, WasmProgram } from './process-modules.ts'
import type { CallEnd, WasmRuntime } from './runtime.ts'
import { exportedFunction } from './runtime.ts'
import { printable } from './text.ts'
import { formatValue, parseValue, signatureText } from './values.ts'
import { WasiContext } from './wasi/context.ts'

/**
 * A `.wasm` file as a program. The process is one like any other: it has an address space with a stack, and in it a few bytes of
 * code that make the system call WASM_MAIN, which runs the module. So it is scheduled, preempted, waited for and killed like any
 * other, and the call under way is made again as every call is.
 *
 * A module with `_start` is a command (WASI preview 1). Of another, `PROGRAM --invoke NAME ARG…` calls an exported function and
 * prints its results.
 */

const COMMAND = '_start'
const REACTOR = '_initialize'
const INVOKE = '--invoke'
const STATUS_USAGE = 2
/** Exit status of a program that could not be started, as shells have it. */
const STATUS_CANNOT_START = 126
/** Where the code lies: where other programs have theirs. */
const CODE_ADDRESS = 0x200000

const MAIN_NUMBER = syscalls.find(({ name }) => name === 'WASM_MAIN')?.number ?? 0

/** `mov eax, number; int 0x80; ud2` */
const stub = (number: number): Uint8Array => Uint8Array.of(0xb8, number, 0, 0, 0, 0xcd, 0x80, 0x0f, 0x0b)

/** Makes a space a WebAssembly program's, and returns the registers it starts with. Throws ENOMEM. */
export function loadStub(space: AddressSpace): TrapFrame {
  space.map(CODE_ADDRESS, CODE_ADDRESS + PAGE_BYTES, Protection.READ | Protection.EXEC, 'image')
  space.load(CODE_ADDRESS, stub(MAIN_NUMBER))
  space.map(STACK_BOTTOM, STACK_TOP, Protection.READ | Protection.WRITE, 'stack')
  space.heapStart = CODE_ADDRESS + PAGE_BYTES
  space.heapEnd = space.heapStart
  const context = TrapFrame.blank()
  context.enterUser(CODE_ADDRESS, STACK_TOP - PAGE_BYTES)
  context.setNumber(FrameOffset.RAX, 0)
  return context
}

export function newProgram(
  name: string, source: Uint8Array, compiled: CompiledModule, args: readonly string[], environment: readonly string[],
): WasmProgram {
  return { name, compiled, sourceBytes: source.length, args, environment, module: null, steps: null, output: null }
}

/** WASM_MAIN: runs the process's module to its end, and ends the process. */
export function wasmMain(runtime: WasmRuntime, call: Call): Result {
  const own = runtime.of(call.process)
  const { program } = own
  if (program === null) throw new KernelError('EINVAL')
  if (program.output !== null) return writeOutput(call, program.output)
  if (program.module === null) {
    const wait = runtime.payForBytes(call, program.sourceBytes)
    if (wait !== null) return wait
    if (!start(runtime, call, program)) return 0
  }
  return step(runtime, call, own, program)
}

/** Gives the program its memory and finds out what is to be called. False when the process has ended over it. */
function start(runtime: WasmRuntime, call: Call, program: WasmProgram): boolean {
  const { process, kernel } = call
  const wasi = new WasiContext(program.args, program.environment)
  try {
    program.module = runtime.load(process, program.name, program.compiled, wasi)
    wasi.preopen = process.descriptors.open(kernel.vfs.root, OpenFlag.RDONLY | OpenFlag.DIRECTORY)
  } catch (error) {
    // The runtime has said why.
    if (!(error instanceof KernelError)) throw error
    kernel.exit(process, STATUS_CANNOT_START)
    return false
  }
  const { parsed } = program.compiled
  const plan = planOf(program)
  if (typeof plan === 'string') {
    program.output = { fd: 2, bytes: new TextEncoder().encode(`${plan}\n`), status: STATUS_USAGE }
    program.steps = []
    return true
  }
  program.steps = plan
  const initialise = exportedFunction(parsed, REACTOR)
  if (exportedFunction(parsed, COMMAND) === undefined && initialise !== undefined)
    plan.unshift({ name: REACTOR, index: initialise, args: [], isPrinted: false })
  if (parsed.start !== null) plan.unshift({ name: 'start', index: parsed.start, args: [], isPrinted: false })
  return true
}

/** What the arguments ask for, or a sentence that says what is wrong with them. */
function planOf({ name, compiled, args }: WasmProgram): Step[] | string {
  const { parsed } = compiled
  const command = exportedFunction(parsed, COMMAND)
  if (command !== undefined) return [{ name: COMMAND, index: command, args: [], isPrinted: false }]
  const [, option, wanted, ...texts] = args
  if (option !== INVOKE || wanted === undefined) {
    const functions = parsed.exports
      .filter(({ kind }) => kind === ExternalKind.FUNCTION)
      .map((each) => `  ${printable(each.name)}${signatureText(typeOfFunction(parsed, each.index))}`)
    return [`${name} has no ${COMMAND}; call one of its functions with ${INVOKE} NAME ARG...`, ...functions].join('\n')
  }
  const index = exportedFunction(parsed, wanted)
  if (index === undefined) return `${name} exports no function ${printable(wanted)}`
  const type = typeOfFunction(parsed, index)
  const declared = `${printable(wanted)}${signatureText(type)}`
  if (texts.length !== type.params.length) return `${declared} takes ${type.params.length} arguments, found ${texts.length}`
  const values = texts.map((text, at) => parseValue(type.params[at], text))
  const wrong = values.indexOf(null)
  if (wrong !== -1) return `${declared} cannot take '${printable(texts[wrong])}' as argument ${wrong + 1}`
  return [{ name: wanted, index, args: values as WasmValue[], isPrinted: true }]
}

/** Runs a portion of the call under way, or begins the next. */
function step(runtime: WasmRuntime, call: Call, own: ProcessModules, program: WasmProgram): Result {
  const { process, kernel } = call
  const { module, steps } = program
  if (program.output !== null) return writeOutput(call, program.output)
  if (module === null || steps === null) throw new Error(`the program of process ${process.pid} was not started`)
  const [current] = steps
  if (current === undefined) {
    kernel.exit(process, 0)
    return 0
  }
  if (runtime.resuming(call, own) === null) runtime.begin(call, own, module, current.index, current.args)
  const end = runtime.continue(call, own, module)
  if (end instanceof Wait) return end
  if (end.kind !== 'done') return endBadly(call, program, current, end)
  steps.shift()
  if (current.isPrinted) {
    const { results } = typeOfFunction(program.compiled.parsed, current.index)
    const text = end.results.map((value, at) => `${formatValue(results[at], value)}\n`).join('')
    program.output = { fd: 1, bytes: new TextEncoder().encode(text), status: 0 }
  }
  return step(runtime, call, own, program)
}

/** Which signal ends a program that traps, as for a program in machine code that does the same. */
function trapSignal(end: { kind: 'trap'; reason: string } | { kind: 'overflow' }): number {
  if (end.kind === 'overflow' || end.reason.startsWith('out of bounds')) return Signal.SIGSEGV
  if (end.reason.startsWith('integer') || end.reason.startsWith('invalid conversion')) return Signal.SIGFPE
  return end.reason === 'unreachable' ? Signal.SIGABRT : Signal.SIGILL
}

function endBadly({ kernel, process }: Call, program: WasmProgram, { name }: Step, end: Exclude<CallEnd, { kind: 'done' }>): Result {
  if (process.state === 'zombie') return 0
  if (end.kind === 'exit') {
    kernel.exit(process, end.status)
    return 0
  }
  const what = end.kind === 'overflow' ? `calls are nested too deeply for ${WasmLimit.STACK_BYTES} bytes of stack` : `trap: ${end.reason}`
  kernel.kill(process, trapSignal(end), [`atoll: ${printable(program.name)}: ${printable(name)}: ${what}`])
  return 0
}

/** Writes what is left of the text, then ends the process. A closed descriptor swallows it. */
function writeOutput(call: Call, output: { fd: number; bytes: Uint8Array; status: number }): Result {
  const { process, kernel } = call
  while (output.bytes.length > 0) {
    const file = openFor(process, output.fd)
    if (file === null) break
    try {
      const written = writeNode(call, file, output.bytes)
      if (written instanceof Wait) return written
      output.bytes = output.bytes.subarray(written)
    } catch (error) {
      if (!(error instanceof KernelError)) throw error
      break
    }
  }
  if (process.state !== 'zombie') kernel.exit(process, output.status)
  return 0
}

function openFor(process: Process, fd: number): ReturnType<Process['descriptors']['get']> | null {
  const entry = process.descriptors.entries().find(([open, file]) => open === fd && file.writable)
  return entry === undefined ? null : entry[1]
}
