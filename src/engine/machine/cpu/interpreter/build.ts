import { Code, ModuleWriter } from '../../wasm/code.ts'
import { Type } from '../../wasm/opcodes.ts'
import { accessBody, checkBody, flagsBody } from './functions.ts'
import { REGION_SLOTS } from './interface.ts'
import { InterpreterEmit } from './interpreter-emit.ts'
import { TEMPORARIES } from './locals.ts'
import { runBody } from './run.ts'
import { STRING_LOCALS, copyBody, fillBody } from './strings.ts'

/**
 * Tier 0: the interpreter, one Wasm function generated from the instruction table. It runs cold code, finishes what a
 * translated region left, and is the reference for tier 1.
 *
 * Builds its module; the same bytes for every machine.
 */
export function buildInterpreter(memoryPages: number): Uint8Array<ArrayBuffer> {
  const writer = new ModuleWriter()
  const { i32, i64 } = Type
  const slow = writer.importFunction('slow', [i32, i32], [i32])
  const segment = writer.importFunction('segment', [i32, i32, i32], [i32])
  const commit = writer.importFunction('commit', [], [])
  const system = writer.importFunction('system', [i32], [i32])
  const deliver = writer.importFunction('deliver', [], [])
  const resolve = writer.importFunction('resolve', [], [i32])
  const hot = writer.importFunction('hot', [i32], [])
  const divide = writer.importFunction('divide', [i32], [i32])
  const float = writer.importFunction('float', [i32], [i32])
  const regionType = writer.type([i32], [i32])
  const access = writer.declare([i64, i32, i32], [i32])
  const check = writer.declare([i64, i32, i32, i32], [i32])
  const flags = writer.declare([], [i32])
  const copy = writer.declare([i64, i64, i32, i32], [i32])
  const fill = writer.declare([i64, i32, i32], [i32])
  const run = writer.declare([i32], [])
  writer.define(access, [{ count: 1, type: i32 }, { count: 1, type: i64 }], accessBody(slow))
  writer.define(check, [], checkBody(segment))
  writer.define(flags, [], flagsBody())
  const stringLocals = [{ count: STRING_LOCALS.i32, type: i32 }, { count: STRING_LOCALS.i64, type: i64 }]
  writer.define(copy, stringLocals, copyBody())
  writer.define(fill, stringLocals, fillBody())
  const code = new Code()
  const emit = new InterpreterEmit(code, { access, check, flags, commit, system, divide, float, copy, fill })
  runBody(code, emit, { access, check, flags, deliver, resolve, hot, regionType })
  writer.define(run, [
    { count: 5, type: i32 },
    { count: 2, type: i64 },
    { count: TEMPORARIES.i32, type: i32 },
    { count: TEMPORARIES.i64, type: i64 },
    { count: TEMPORARIES.v128, type: Type.v128 },
  ], code)
  writer.exportFunction('run', run)
  writer.exportFunction('flags', flags)
  writer.exportTable('regions', REGION_SLOTS)
  return writer.finish(memoryPages)
}
