import { WasmFormatError } from './binary/bytes.ts'
import type { ParsedModule } from './binary/module.ts'
import { instrument } from './instrument/module.ts'
import { WasmLimit } from './limits.ts'

/** A module ready to be instantiated. */
export interface CompiledModule {
  parsed: ParsedModule
  module: WebAssembly.Module
}

/**
 * Checks, instruments and compiles a module. Throws WasmFormatError with a sentence of ours: those of the host's engine differ from
 * version to version, and what a console shows may not.
 */
export function compile(bytes: Uint8Array): CompiledModule {
  if (bytes.length > WasmLimit.MODULE_BYTES)
    throw new WasmFormatError(`it has ${bytes.length} bytes, at most ${WasmLimit.MODULE_BYTES} are accepted`)
  // The engine would read shared memory while another thread writes it.
  const source = bytes.slice()
  if (!WebAssembly.validate(source)) throw new WasmFormatError('it is not a valid WebAssembly module')
  const instrumented = instrument(source)
  try {
    return { parsed: instrumented.parsed, module: new WebAssembly.Module(instrumented.bytes as BufferSource) }
  } catch (error) {
    if (!(error instanceof WebAssembly.CompileError || error instanceof RangeError)) throw error
    throw new WasmFormatError('it is too large to be compiled with its checks')
  }
}
