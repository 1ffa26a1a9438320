import { Code } from '../../wasm/code.ts'
import type { LocalGroup } from '../../wasm/code.ts'
import { Op } from '../../wasm/opcodes.ts'
import type { Variant } from '../decode.ts'
import { State } from '../state.ts'
import { InterpreterEmit } from './interpreter-emit.ts'
import type { Functions } from './interpreter-emit.ts'
import { HANDLER_PARAMETERS, Local } from './locals.ts'

/**
 * Handlers that are functions of their own. V8 compiles a function when it is first called, and the loop with all handlers in it takes it
 * longer than all else that a machine needs to begin; so the loop has those that make up most of any program, and the others are
 * called.
 */

/** What a handler answers: where tier 0 goes on. REMAINING and, but for NEXT, RIP are in the processor state. */
export const Outcome = { NEXT: 0, FAULT: 1, BLOCK: 2, INSTRUCTION: 3 } as const

const CONDITIONAL = Array.from({ length: 16 }, (_, cc) => [`j${cc}`, `cmov${cc}`, `set${cc}`]).flat()
const COMMON = new Set([
  'mov', 'movzx', 'movsx', 'lea', 'add', 'sub', 'and', 'or', 'xor', 'cmp', 'test', 'inc', 'dec', 'neg', 'not', 'shl', 'shr', 'sar',
  'imul2', 'imul3', 'push', 'pushi', 'pop', 'call', 'calli', 'ret', 'jmp', 'jmpi', 'leave', 'nop', 'nopm', 'cbw', 'cwd', 'bt', 'xchg',
  ...CONDITIONAL,
])

/** Whether the loop itself has a handler. */
export const isInLoop = ({ definition, size, long, addressBytes }: Variant): boolean =>
  COMMON.has(definition.name) && size !== 2 && long && addressBytes === 8

/** A handler as the body of a function. */
export function handler(variant: Variant, functions: Functions): { code: Code; locals: readonly LocalGroup[] } {
  const code = new Code()
  const emit = new InterpreterEmit(code, HANDLER_PARAMETERS, functions)
  const open = (): number => {
    code.block()
    return code.depth
  }
  emit.labels = { fault: open(), instruction: open(), block: open(), next: open() }
  emit.write(variant)
  code.end()
  code.i32Const(Outcome.NEXT)
  code.op(Op.return)
  code.end()
  code.i32Const(0)
  code.get(Local.RIP)
  code.memory(Op.i64_store, State.RIP)
  code.i32Const(Outcome.BLOCK)
  code.op(Op.return)
  code.end()
  code.i32Const(Outcome.INSTRUCTION)
  code.op(Op.return)
  code.end()
  code.i32Const(Outcome.FAULT)
  return { code, locals: emit.localsBehind(HANDLER_PARAMETERS.length) }
}
