import { WasmFormatError } from './binary/bytes.ts'
import { moduleCache } from './cache.ts'
import type { CompiledModule } from './compile.ts'
import { printable } from './text.ts'
import { WASI_MODULE, wasiType } from './wasi/preview1.ts'

/** A module that can be given to a process: valid, within the limits, and with no import that there is not. Throws WasmFormatError. */
export function compileForKernel(bytes: Uint8Array): CompiledModule {
  const compiled = moduleCache.compile(bytes)
  for (const { module, name, type } of compiled.parsed.imports) {
    const wanted = compiled.parsed.types[type]
    const found = module === WASI_MODULE ? wasiType(name) : undefined
    const text = `"${printable(module)}" "${printable(name)}"`
    if (found === undefined) throw new WasmFormatError(`it imports ${text}, which is not available`)
    if (`${found.params}` !== `${wanted.params}` || `${found.results}` !== `${wanted.results}`)
      throw new WasmFormatError(`it imports ${text} with another type than it has`)
  }
  return compiled
}
