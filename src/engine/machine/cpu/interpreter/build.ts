import { Code, ModuleWriter } from '../../wasm/code.ts'
import { Type } from '../../wasm/opcodes.ts'
import { allVariants } from '../decode.ts'
import { TlbField } from '../state.ts'
import { ENTER_LOCALS, RETURN_LOCALS, enterBody, findBody, returnBody } from './crossings.ts'
import { accessBody, checkBody, flagsBody } from './functions.ts'
import { handler, isInLoop } from './handlers.ts'
import { REGION_SLOTS } from './interface.ts'
import { InterpreterEmit } from './interpreter-emit.ts'
import { HANDLER_PARAMETERS, RUN_LOCALS } from './locals.ts'
import { runBody } from './run.ts'
import { STRING_LOCALS, copyBody, fillBody } from './strings.ts'

/**
 * Tier 0: the interpreter, Wasm generated from the instruction table. It runs cold code, finishes what a
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
  const interruptible = writer.importFunction('interruptible', [], [])
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
  const findRead = writer.declare([i64, i32, i32], [i32])
  const findWrite = writer.declare([i64, i32, i32], [i32])
  const enter = writer.declare([i32, i64, i64], [i32])
  const leave = writer.declare([], [i32])
  const run = writer.declare([i32], [])
  const locals = ({ i32: words, i64: quadwords }: { i32: number; i64: number }) => [
    { count: words, type: i32 }, { count: quadwords, type: i64 },
  ]
  writer.define(access, [{ count: 1, type: i32 }, { count: 1, type: i64 }], accessBody(slow))
  writer.define(check, [], checkBody(segment))
  writer.define(flags, [], flagsBody())
  writer.define(copy, locals(STRING_LOCALS), copyBody())
  writer.define(fill, locals(STRING_LOCALS), fillBody())
  const findLocals = [{ count: 1, type: i32 }, { count: 1, type: i64 }]
  writer.define(findRead, findLocals, findBody(TlbField.READ))
  writer.define(findWrite, findLocals, findBody(TlbField.WRITE))
  const crossing = { findRead, findWrite, interruptible }
  writer.define(enter, locals(ENTER_LOCALS), enterBody(crossing))
  writer.define(leave, locals(RETURN_LOCALS), returnBody(crossing))
  const callees = { access, check, flags, commit, system, divide, float, copy, fill, enter, leave }
  const handlerType = writer.type(HANDLER_PARAMETERS, [i32])
  const code = new Code()
  const emit = new InterpreterEmit(code, RUN_LOCALS, callees)
  runBody(code, emit, { access, check, flags, deliver, enter, resolve, hot, regionType, handlerType })
  writer.define(run, emit.localsBehind(1), code)
  // A handler's place in the table is that of its variant, behind the regions; those that the loop has are never called.
  const table = allVariants().map((variant) => {
    if (isInLoop(variant)) return run
    const { code: body, locals: declared } = handler(variant, callees)
    const index = writer.declare(HANDLER_PARAMETERS, [i32])
    writer.define(index, declared, body)
    return index
  })
  writer.exportFunction('run', run)
  writer.exportFunction('flags', flags)
  writer.exportTable('regions', REGION_SLOTS + table.length)
  writer.fillTable(REGION_SLOTS, table)
  return writer.finish(memoryPages)
}
