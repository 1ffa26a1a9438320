import { fileURLToPath } from 'node:url'
import { ValueType } from '../../kernel/wasm/binary/opcodes.ts'
import { WASI_MODULE, wasiType } from '../../kernel/wasm/wasi/preview1.ts'
import type { Toolchain } from '../../toolchain/toolchain.ts'
import { Random } from '../../random/random.ts'
import type { SessionOptions } from '../session.ts'
import { MachineSession } from '../session.ts'
import type { KernelUsage } from './kernel-usage.ts'
import { usageOf } from './kernel-usage.ts'

/** Runs testing/random-calls.c: random system calls from ring 3. */

const SOURCE = fileURLToPath(new URL('random-calls.c', import.meta.url))
const WINDOW_NS = 5_000_000
const TYPED_BYTES = 40
/** A run that takes longer hangs. */
const LIMIT_NS = 600_000_000_000
const WASI_FUNCTIONS = [
  'args_get', 'args_sizes_get', 'environ_get', 'environ_sizes_get', 'clock_res_get', 'clock_time_get', 'fd_advise', 'fd_allocate',
  'fd_close', 'fd_datasync', 'fd_fdstat_get', 'fd_fdstat_set_flags', 'fd_fdstat_set_rights', 'fd_filestat_get', 'fd_filestat_set_size',
  'fd_filestat_set_times', 'fd_pread', 'fd_prestat_get', 'fd_prestat_dir_name', 'fd_pwrite', 'fd_read', 'fd_readdir', 'fd_renumber',
  'fd_seek', 'fd_sync', 'fd_tell', 'fd_write', 'path_create_directory', 'path_filestat_get', 'path_filestat_set_times', 'path_link',
  'path_open', 'path_readlink', 'path_remove_directory', 'path_rename', 'path_symlink', 'path_unlink_file', 'poll_oneoff', 'proc_raise',
  'random_get', 'sched_yield', 'sock_accept', 'sock_recv', 'sock_send', 'sock_shutdown',
]

/** A module whose `run` and `_start` call every function of WASI with random arguments. */
function randomWasi(): string {
  const imports: string[] = []
  const cases: string[] = []
  WASI_FUNCTIONS.forEach((name, index) => {
    const type = wasiType(name)
    if (type === undefined) throw new Error(`there is no ${name}`)
    const params = type.params.map((param) => (param === ValueType.I64 ? 'i64' : 'i32'))
    imports.push(`(import "${WASI_MODULE}" "${name}" (func $w${index} (param ${params.join(' ')}) (result i32)))`)
    const args = params.map((param) => `(call $${param})`).join(' ')
    cases.push(`(if (i32.eq (local.get $which) (i32.const ${index})) (then (drop (call $w${index} ${args}))))`)
  })
  const text = '/a\\00a/b\\00/dev/zero\\00/m\\00/full\\00.\\00..\\00/bin/random'
  return `(module ${imports.join('\n')}
    (memory (export "memory") 1 4) (global $state (mut i64) (i64.const 88172645463325252))
    (data (i32.const 64) "\\00\\02\\00\\00\\40\\00\\00\\00\\00\\04\\00\\00\\00\\10\\00\\00") (data (i32.const 512) "${text}")
    (func $i64 (result i64) (local $kind i32)
      (global.set $state (i64.xor (global.get $state) (i64.shl (global.get $state) (i64.const 13))))
      (global.set $state (i64.xor (global.get $state) (i64.shr_u (global.get $state) (i64.const 7))))
      (global.set $state (i64.xor (global.get $state) (i64.shl (global.get $state) (i64.const 17))))
      (local.set $kind (i32.and (i32.wrap_i64 (i64.shr_u (global.get $state) (i64.const 20))) (i32.const 15)))
      (if (i32.eq (local.get $kind) (i32.const 0)) (then (return (global.get $state))))
      (if (i32.eq (local.get $kind) (i32.const 1)) (then (return (i64.const -1))))
      (if (i32.eq (local.get $kind) (i32.const 2)) (then (return (i64.sub (i64.const 0) (i64.and (global.get $state) (i64.const 16383))))))
      (if (i32.lt_u (local.get $kind) (i32.const 6)) (then (return (i64.and (global.get $state) (i64.const 65535)))))
      (if (i32.lt_u (local.get $kind) (i32.const 8)) (then (return (i64.add (i64.const 512) (i64.and (global.get $state) (i64.const 63))))))
      (i64.and (global.get $state) (i64.const 7)))
    (func $i32 (result i32) (i32.wrap_i64 (call $i64)))
    (func $some (param $turns i32) (local $which i32)
      (loop $again
        (local.set $which (i32.rem_u (i32.wrap_i64 (i64.shr_u (global.get $state) (i64.const 9))) (i32.const ${WASI_FUNCTIONS.length})))
        (drop (call $i64)) ${cases.join('\n')}
        (br_if $again (local.tee $turns (i32.sub (local.get $turns) (i32.const 1))))))
    (func (export "run") (param $seed i32)
      (global.set $state (i64.or (i64.const 1) (i64.extend_i32_u (local.get $seed)))) (call $some (i32.const 100)))
    (func (export "_start") (call $some (i32.const 300))))`
}

const MODULES: readonly string[] = [
  randomWasi(),
  `(module (memory (export "memory") 1 2000)
    (func (export "spin") (loop (br 0))) (func (export "trap") (unreachable))
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func $deep (export "deep") (param i32) (result i32) (i32.add (i32.const 1) (call $deep (local.get 0))))
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))`,
  '(module (memory 40) (func (export "get_magic_number") (result i32) (i32.const 42)) (func $start (unreachable)) (start $start))',
  '(module (func $start (loop (br 0))) (start $start))',
  '(module (memory 1) (data (i32.const 65530) "too long for it"))',
  '(module (import "env" "nothing" (func)))',
]

export interface Programs {
  boot: Uint8Array
  program: Uint8Array
  files: Map<string, Uint8Array>
}

/** Builds the program and what it finds in its machine. */
export async function buildRandomCalls(toolchain: Toolchain): Promise<Programs> {
  const build = async (path: string, text?: string): Promise<Uint8Array> => {
    const result = await toolchain.build({ path, file: text === undefined ? SOURCE : `/nowhere/${path}`, text })
    if (!result.ok) throw new Error(result.message ?? result.diagnostics.map(({ line, message }) => `${line}: ${message}`).join('\n'))
    return result.output
  }
  const files = new Map<string, Uint8Array>()
  for (const [index, text] of MODULES.entries()) files.set(`/m/${index}`, await build('module.wat', text))
  files.set('/bin/true', await build('true.c', '#include <atoll.h>\nvoid _start(void) { sys_exit(0); }'))
  return { boot: await toolchain.assembleBoot(), program: await build('random-calls.c'), files }
}

export interface RandomRun extends Pick<SessionOptions, 'ramBytes' | 'network'> {
  seed: number
  rounds: number
  /** Of each child. */
  operations: number
}

export function randomOptions(programs: Programs, run: RandomRun): Omit<SessionOptions, 'onConsole'> {
  const { seed, rounds, operations, ...machine } = run
  const { boot, program: bytes, files } = programs
  const args = ['run', `${seed}`, `${rounds}`, `${operations}`]
  return { boot, files, seed, program: { path: '/bin/random', bytes, args }, ...machine }
}

/** Ends every process that is left, as the program does when it comes to its end, and tells what is lent all the same. */
export function usageAfterAll({ kernel }: MachineSession): KernelUsage {
  for (const process of [...kernel.scheduler.processes.values()]) if (process.state !== 'zombie') kernel.exit(process, 0)
  return usageOf(kernel)
}

export const isOver = (session: MachineSession): boolean => !['booting', 'running'].includes(session.status().phase)

/** Types what nobody would: any key, Control-C among them. */
export function typeAnything(session: MachineSession, random: Random): void {
  session.type(Uint8Array.from({ length: random.next() % TYPED_BYTES }, () => random.next() & 0x7f))
}

/** Runs one machine to its end, while somebody types. */
export function runRandomCalls(programs: Programs, run: RandomRun): { session: MachineSession; output: string } {
  const chunks: Uint8Array[] = []
  const session = new MachineSession({ ...randomOptions(programs, run), onConsole: (bytes) => chunks.push(bytes) })
  const random = new Random(run.seed)
  while (!isOver(session) && session.status().virtualNs < LIMIT_NS) {
    session.advance(session.status().virtualNs + WINDOW_NS)
    if (random.next() % 8 === 0) typeAnything(session, random)
  }
  return { session, output: new TextDecoder().decode(Buffer.concat(chunks)) }
}
