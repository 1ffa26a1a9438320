import type loadWabt from 'wabt'
import { ColumnConverter, DIAGNOSTICS_MAX } from './diagnostic.ts'
import type { Diagnostic } from './diagnostic.ts'

type Wabt = Awaited<ReturnType<typeof loadWabt>>

/** What V8 in Node 20 runs. */
const FEATURES = {
  exceptions: true, mutable_globals: true, sat_float_to_int: true, sign_extension: true, simd: true, threads: true,
  multi_value: true, tail_call: true, bulk_memory: true, reference_types: true, extended_const: true
}
/** The name wabt knows the text by: one that cannot be mistaken for anything else in its messages. */
const MODULE_NAME = 'module.wat'
// module.wat:line:column: error: message, the line it is in (or a part of it), and a row of carets below.
const PROBLEM = /^module\.wat:(\d+):(\d+): (error|warning): (.*)$/
const CARETS = /^ *(\^+)$/

export interface WatResult {
  /** The module in binary, with the names of its functions and locals; undefined when it has errors. */
  wasm?: Uint8Array
  diagnostics: Diagnostic[]
  /** What wabt said without a place. */
  rest: string
}

let loading: Promise<Wabt> | undefined

/** Assembles and validates a WebAssembly text module. Never throws for the text's sake. */
export async function assembleWat(path: string, text: string): Promise<WatResult> {
  loading ??= import('wabt').then(module => module.default())
  const wabt = await loading
  try {
    const module = wabt.parseWat(MODULE_NAME, new TextEncoder().encode(text), FEATURES)
    try {
      module.resolveNames()
      module.validate()
      return { wasm: new Uint8Array(module.toBinary({ write_debug_names: true }).buffer), diagnostics: [], rest: '' }
    } finally {
      module.destroy()
    }
  } catch (error) {
    const message = (error as Error).message
    // wabt is C++ compiled to Wasm: after a trap or an exhausted memory that instance is of no use any more.
    if (!message.includes(`${MODULE_NAME}:`)) loading = undefined
    return readProblems(path, text, message)
  }
}

function readProblems(path: string, text: string, output: string): WatResult {
  const columns = new ColumnConverter(() => text)
  const diagnostics: Diagnostic[] = []
  const rest: string[] = []
  const lines = output.split('\n')
  for (let at = 0; at < lines.length; at++) {
    const problem = PROBLEM.exec(lines[at])
    if (!problem) {
      if (lines[at].trim() !== '' && !/^\w+ failed:?$/.test(lines[at])) rest.push(lines[at])
      continue
    }
    const line = Number(problem[1])
    const byteColumn = Number(problem[2])
    const carets = CARETS.exec(lines[at + 2] ?? '')?.[1].length
    if (carets !== undefined) at += 2
    if (diagnostics.length >= DIAGNOSTICS_MAX) continue
    const column = columns.column(path, line, byteColumn)
    diagnostics.push({
      path, line, column, endLine: line, endColumn: Math.max(columns.column(path, line, byteColumn + (carets ?? 1)), column + 1),
      severity: problem[3] as 'error' | 'warning', message: problem[4]
    })
  }
  return { diagnostics, rest: rest.join('\n') }
}
