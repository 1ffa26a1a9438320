import { KernelError } from '../syscall/errno.ts'
import type { Call, Result } from '../syscall/context.ts'
import { Wait } from '../process/wait.ts'
import type { Process } from '../process/process.ts'
import { WasmFormatError } from './binary/bytes.ts'
import { typeOfFunction } from './binary/module.ts'
import { WasmLimit } from './limits.ts'
import type { LoadedModule } from './process-modules.ts'
import type { CallEnd, WasmRuntime } from './runtime.ts'
import { compileForKernel } from './program-file.ts'
import { exportedFunction } from './runtime.ts'
import { printable } from './text.ts'
import { decodeValues, encodeValues, wordCount } from './values.ts'
import { WasiContext } from './wasi/context.ts'

/** WASM_LOAD, WASM_EXEC and WASM_UNLOAD. */

const NAME_BYTES_MAX = 255
const WORD_BYTES = 4

/** Compiles, makes an instance, and runs the module's start function: in as many portions as that takes. */
export function wasmLoad(runtime: WasmRuntime, call: Call, address: number, length: number, namePointer: number): Result {
  const { process } = call
  const own = runtime.of(process)
  let module = runtime.resuming(call, own)
  if (module === null) {
    const name = namePointer === 0 ? 'module' : readName(call, namePointer)
    process.memory.check(address, Math.min(length, WasmLimit.MODULE_BYTES), 'read')
    if (length > WasmLimit.MODULE_BYTES) {
      runtime.report(process, name, `not loaded: it has ${length} bytes, at most ${WasmLimit.MODULE_BYTES} are accepted`)
      throw new KernelError('ENOEXEC')
    }
    const wait = runtime.payForBytes(call, length)
    if (wait !== null) return wait
    module = create(runtime, process, name, process.memory.copyIn(address, length))
    const { start } = module.instance.compiled.parsed
    if (start === null) return module.id
    runtime.begin(call, own, module, start, [])
  }
  const end = runtime.continue(call, own, module)
  if (end instanceof Wait) return end
  if (end.kind === 'done') return module.id
  if (process.state !== 'zombie') runtime.unload(own, module.id)
  return conclude(runtime, call, module, 'start', end)
}

function create(runtime: WasmRuntime, process: Process, name: string, bytes: Uint8Array): LoadedModule {
  try {
    return runtime.load(process, name, compileForKernel(bytes), new WasiContext([name], []))
  } catch (error) {
    if (!(error instanceof WasmFormatError)) throw error
    runtime.report(process, name, `not loaded: ${error.message}`)
    throw new KernelError('ENOEXEC')
  }
}

export function wasmExec(
  runtime: WasmRuntime, call: Call, id: number, functionName: number, args: number, count: number, result: number,
): Result {
  const { process } = call
  const own = runtime.of(process)
  let module = runtime.resuming(call, own)
  if (module === null) {
    module = own.modules.get(id) ?? null
    if (module === null) throw new KernelError('EINVAL')
    const { parsed } = module.instance.compiled
    const index = exportedFunction(parsed, readName(call, functionName))
    if (index === undefined) throw new KernelError('ENOENT')
    const { params, results } = typeOfFunction(parsed, index)
    const resultWords = wordCount(results)
    if (wordCount(params) !== count || resultWords === null) throw new KernelError('EINVAL')
    if (result !== 0) process.memory.check(result, resultWords * WORD_BYTES, 'write')
    const words = process.memory.copyIn(args, count * WORD_BYTES)
    runtime.begin(call, own, module, index, decodeValues(params, words))
  }
  const end = runtime.continue(call, own, module)
  if (end instanceof Wait) return end
  if (process.state === 'zombie') return 0
  const name = readName(call, functionName)
  if (end.kind !== 'done') return conclude(runtime, call, module, name, end)
  const { parsed } = module.instance.compiled
  const { results } = typeOfFunction(parsed, exportedFunction(parsed, name) ?? -1)
  if (result !== 0) process.memory.copyOut(result, encodeValues(results, end.results))
  return 0
}

export function wasmUnload(runtime: WasmRuntime, call: Call, id: number): Result {
  runtime.unload(runtime.of(call.process), id)
  return 0
}

function readName(call: Call, address: number): string {
  return call.process.memory.copyInString(address, NAME_BYTES_MAX)
}

/** A call that did not come to its end: a line that says why, and the error for the program; or the end of the process. */
function conclude(runtime: WasmRuntime, call: Call, module: LoadedModule, name: string, end: Exclude<CallEnd, { kind: 'done' }>): Result {
  const { kernel, process } = call
  if (end.kind === 'exit') {
    if (process.state !== 'zombie') kernel.exit(process, end.status)
    return 0
  }
  const isOverflow = end.kind === 'overflow'
  const reason = isOverflow ? `calls are nested too deeply for ${WasmLimit.STACK_BYTES} bytes of stack` : `trap: ${end.reason}`
  runtime.report(process, module.name, `${printable(name)}: ${reason}`)
  throw new KernelError(isOverflow ? 'ENOMEM' : 'EFAULT')
}

