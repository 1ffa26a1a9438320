import { beforeAll, describe, expect, it } from 'vitest'
import { boot, build, buildBody } from './testing/programs.ts'
import { runProgram } from './testing/run-program.ts'
import type { Run, RunOptions } from './testing/run-program.ts'

let testModule: Uint8Array

beforeAll(async () => {
  testModule = await build('user/test.wat')
}, 300_000)

const wat = (text: string): Promise<Uint8Array> => build('module.wat', `(module ${text})`)

/** Runs a module as the first program. */
const runModule = (bytes: Uint8Array, args: string[] = [], options: Partial<RunOptions> = {}): Run =>
  runProgram(bytes, { boot, path: '/bin/module', args, ...options })

const HELPERS = `#include <atoll.h>
#include <text.h>
static char image[65536];
static int load(const char *path) {
  int fd = sys_open(path, O_RDONLY, 0);
  int64_t length = sys_read(fd, image, sizeof image);
  sys_close(fd);
  return sys_wasm_load(image, (size_t)length, path);
}
static void number(int64_t n) { print_number(n); print(" "); }
static int32_t result;
static int call(int module, const char *name, int32_t a, int32_t b, size_t count) {
  int32_t args[2] = {a, b};
  return sys_wasm_exec(module, name, args, count, &result);
}`

const LOGGED = /\[ *\d+\.\d+\] /g
/** Log lines without their times. */
const logOf = ({ output }: Run): string[] => output.split('\n').flatMap((line) => /\] (wasm: .*)$/.exec(line)?.[1] ?? [])
/** What the program printed, without log lines. */
const printed = ({ program }: Run): string => program.replace(/\n?\[ *\d+\.\d+\] .*\n/g, '')

async function runC(body: string, modules: Record<string, Uint8Array> = {}, options: Partial<RunOptions> = {}): Promise<Run> {
  return runProgram(await buildBody(HELPERS, body), { boot, files: new Map(Object.entries(modules)), ...options })
}

const WASI = 'wasi_snapshot_preview1'
const FD_WRITE = `(import "${WASI}" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))`
const PROC_EXIT = `(import "${WASI}" "proc_exit" (func $proc_exit (param i32)))`
/** Writes `length` bytes from `address` to descriptor 1; uses the first 16 bytes of memory. */
const WRITE = `(func $write (param $address i32) (param $length i32)
  (i32.store (i32.const 0) (local.get $address)) (i32.store (i32.const 4) (local.get $length))
  (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))`

describe('a module as a program', () => {
  it('calls an exported function and prints its result', () => {
    expect(runModule(testModule, ['--invoke', 'factorial', '10'])).toMatchObject({ program: '3628800', status: { exitStatus: 0 } })
    expect(runModule(testModule, ['--invoke', 'add', '-5', '0x10']).program).toBe('11')
    expect(runModule(testModule, ['--invoke', 'get_magic_number']).program).toBe('42')
  })

  it('says what is wrong with the arguments', () => {
    const cases: [string[], string][] = [
      [[], 'module has no _start; call one of its functions with --invoke NAME ARG...\n  add(i32, i32) -> i32\n'],
      [['--invoke', 'sub'], 'module exports no function sub'],
      [['--invoke', 'add', '1'], 'add(i32, i32) -> i32 takes 2 arguments, found 1'],
      [['--invoke', 'add', '1', '4294967296'], "add(i32, i32) -> i32 cannot take '4294967296' as argument 2"],
    ]
    for (const [args, message] of cases) {
      const run = runModule(testModule, args)
      expect(run.program).toContain(message)
      expect(run.status.exitStatus).toBe(2)
    }
  })

  it('passes every type of number', async () => {
    const module = await wat(`(func (export "f") (param i64 f32 f64) (result f64 f32 i64 i32)
      (local.get 2) (local.get 1) (local.get 0) (i32.const -1))`)
    expect(runModule(module, ['--invoke', 'f', '-0x8000000000000000', '0.1', '-inf']).program).toBe('-inf\n0.1\n-9223372036854775808\n-1')
  })

  it('has arguments, an environment, a clock and descriptors', async () => {
    const module = await wat(`${FD_WRITE} ${PROC_EXIT}
      (import "${WASI}" "args_sizes_get" (func $args_sizes (param i32 i32) (result i32)))
      (import "${WASI}" "args_get" (func $args (param i32 i32) (result i32)))
      (import "${WASI}" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
      (memory (export "memory") 1) ${WRITE}
      (func (export "_start") (local i32)
        (drop (call $args_sizes (i32.const 100) (i32.const 104)))
        (drop (call $args (i32.const 200) (i32.const 300)))
        (call $write (i32.const 300) (i32.load (i32.const 104)))
        (drop (call $clock (i32.const 1) (i64.const 0) (i32.const 400)))
        (call $proc_exit (i32.add (i32.const 10) (i64.gt_u (i64.load (i32.const 400)) (i64.const 0)))))`)
    const run = runModule(module, ['one', 'two'])
    expect(run.program).toBe('/bin/module\0one\0two\0')
    expect(run.status.exitStatus).toBe(11)
  })

  const ECHO = `${FD_WRITE} (import "${WASI}" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1) ${WRITE}
    (func (export "_start")
      (loop $again
        (i32.store (i32.const 16) (i32.const 1024)) (i32.store (i32.const 20) (i32.const 100))
        (drop (call $fd_read (i32.const 0) (i32.const 16) (i32.const 1) (i32.const 24)))
        (if (i32.load (i32.const 24)) (then
          (i32.store8 (i32.const 1023) (i32.const 62))
          (call $write (i32.const 1023) (i32.add (i32.load (i32.const 24)) (i32.const 1))) (br $again)))))`

  it('sleeps while it reads', async () => {
    const run = runModule(await wat(ECHO), [], { input: 'first\n\nsecond\n' })
    for (const line of ['>first\n', '>second']) expect(run.program).toContain(line)
    expect(run.status).toMatchObject({ phase: 'exited', exitStatus: 0 })
    const waiting = runModule(await wat(ECHO), [], { keepInput: true, untilNs: 50_000_000 })
    expect(waiting.session.kernel.processes()).toMatchObject([{ name: 'module', state: 'waiting', waitsFor: 'console-input' }])
    expect(waiting.session.kernel.wasm.views()).toMatchObject([{ pid: 1, isBusy: true, memoryBytes: 65536 }])
  })

  it('is started, piped to and waited for like any other', async () => {
    const run = await runC(`
      int in[2], out[2]; sys_pipe(in); sys_pipe(out);
      if (sys_fork() == 0) {
        sys_dup(in[0], 0); sys_dup(out[1], 1); sys_close(in[1]); sys_close(out[0]);
        char *args[] = {"echo", 0}; sys_exec("/bin/echo.wasm", args, 0); sys_exit(99);
      }
      sys_close(in[0]); sys_close(out[1]);
      sys_write(in[1], "hello", 5); char text[32]; int64_t n = sys_read(out[0], text, 32); sys_write(1, text, n);
      sys_close(in[1]); number(sys_read(out[0], text, 32)); int status = -1; sys_wait(-1, &status, 0); number(status);
      number(sys_exec("/bin/broken.wasm", 0, 0)); number(sys_wasm_main());`,
      { '/bin/echo.wasm': await wat(ECHO), '/bin/broken.wasm': Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 200) })
    expect(printed(run)).toBe('>hello0 0 -8 -22')
  })

  it('reads and writes files', async () => {
    const module = await wat(`${FD_WRITE} ${PROC_EXIT}
      (import "${WASI}" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
      (import "${WASI}" "fd_seek" (func $seek (param i32 i64 i32 i32) (result i32)))
      (import "${WASI}" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
      (import "${WASI}" "fd_close" (func $close (param i32) (result i32)))
      (memory (export "memory") 1) (data (i32.const 64) "notes.txt") (data (i32.const 80) "kept in memory\\n") ${WRITE}
      (func (export "_start") (local $fd i32)
        (drop (call $open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 9) (i32.const 1) (i64.const 0x42) (i64.const 0)
          (i32.const 0) (i32.const 60)))
        (local.set $fd (i32.load (i32.const 60)))
        (i32.store (i32.const 0) (i32.const 80)) (i32.store (i32.const 4) (i32.const 15))
        (drop (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)))
        (drop (call $seek (local.get $fd) (i64.const -10) (i32.const 1) (i32.const 32)))
        (i32.store (i32.const 0) (i32.const 200)) (i32.store (i32.const 4) (i32.const 50))
        (drop (call $fd_read (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)))
        (call $write (i32.const 200) (i32.load (i32.const 8)))
        (drop (call $close (local.get $fd)))
        (call $proc_exit (call $close (local.get $fd))))`)
    const run = runModule(module)
    expect(run.program).toBe('in memory')
    // EBADF as WASI numbers it.
    expect(run.status.exitStatus).toBe(8)
  })

  it('sleeps and gets random numbers from the seed', async () => {
    const module = await wat(`${FD_WRITE}
      (import "${WASI}" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
      (import "${WASI}" "sched_yield" (func $yield (result i32)))
      (import "${WASI}" "random_get" (func $random (param i32 i32) (result i32)))
      (memory (export "memory") 1) ${WRITE}
      (func (export "_start") (local $at i32)
        (i32.store (i32.const 128) (i32.const 1)) (i64.store offset=24 (i32.const 112) (i64.const 30000000))
        (drop (call $poll (i32.const 112) (i32.const 256) (i32.const 1) (i32.const 512)))
        (drop (call $yield))
        (drop (call $random (i32.const 600) (i32.const 8)))
        (loop
          (i32.store8 offset=600 (local.get $at)
            (i32.add (i32.const 97) (i32.and (i32.load8_u offset=600 (local.get $at)) (i32.const 15))))
          (br_if 0 (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (i32.const 8))))
        (call $write (i32.const 600) (i32.const 8)))`)
    const [first, second, other] = [1, 1, 2].map((seed) => runModule(module, [], { seed }))
    expect(first.program).toMatch(/^[a-p]{8}$/)
    expect([second.program, second.status]).toEqual([first.program, first.status])
    expect(other.program).not.toBe(first.program)
    expect(first.status.virtualNs).toBeGreaterThan(30_000_000)
  })

  it('ends by the signal that its trap stands for', async () => {
    const cases: [string, number, string][] = [
      ['unreachable', 6, 'unreachable'],
      ['(drop (i32.div_s (i32.const 1) (i32.const 0)))', 8, 'integer divide by zero'],
      ['(drop (i32.load (i32.const 65536)))', 11, 'out of bounds memory access'],
      ['(call $f)', 11, ''],
    ]
    for (const [code, signal, reason] of cases) {
      const run = runModule(await wat(`(memory 1) (func $f (export "_start") ${code})`))
      expect(run.status.exitStatus, code).toBe(128 + signal)
      expect(run.program).toContain(reason === '' ? '_start: calls are nested too deeply' : `_start: trap: ${reason}`)
    }
  })
})

const LOOP = '(func (export "spin") (loop (br 0)))'

describe('system calls', () => {
  it('load a module and call its functions', async () => {
    const run = await runC(`
      int module = load("/lib/test.wasm"); number(module);
      number(call(module, "add", 40, 2, 2)); number(result);
      number(call(module, "factorial", 10, 0, 1)); number(result);
      number(call(module, "get_magic_number", 0, 0, 0)); number(result);
      number(call(module, "nothing", 0, 0, 0)); number(call(module, "add", 1, 2, 1)); number(call(99, "add", 1, 2, 2));
      number(sys_wasm_unload(module)); number(sys_wasm_unload(module)); number(call(module, "add", 1, 2, 2));`,
      { '/lib/test.wasm': testModule })
    expect(run.program).toBe('1 0 42 0 3628800 0 42 -2 -22 -22 0 -22 -22')
  })

  it('pass 64-bit values as two words', async () => {
    const module = await wat('(func (export "f") (param i64 f64 i32) (result f64 i64) (local.get 1) (i64.add (local.get 0) (i64.const 1)))')
    const run = await runC(`
      int module = load("/lib/m.wasm"); struct { int64_t i; double d; int32_t n; } args = {0x1ffffffff, 2.5, 7};
      struct { double d; int64_t i; } out = {0, 0};
      number(sys_wasm_exec(module, "f", (const int32_t *)&args, 5, (int32_t *)&out));
      number(out.i == 0x200000000); number((int)(out.d * 2));
      number(sys_wasm_exec(module, "f", (const int32_t *)&args, 5, 0));
      number(sys_wasm_exec(module, "f", (const int32_t *)&args, 5, (int32_t *)8));
      number(sys_wasm_exec(module, "f", 0, 5, 0));`, { '/lib/m.wasm': module })
    expect(run.program).toBe('0 1 5 0 -14 -14')
  })

  it('answer with an error and a line each for what a module does wrong', async () => {
    const modules = {
      '/m/broken': Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 200),
      '/m/imports': await wat('(import "env" "now" (func))'),
      '/m/type': await wat(`(import "${WASI}" "fd_write" (func (param i32)))`),
      '/m/memory': await wat('(memory 2000)'),
      '/m/table': await wat('(table 100000 funcref)'),
      '/m/segment': await wat('(memory 1) (data (i32.const 65535) "two")'),
      '/m/start': await wat('(func $f unreachable) (start $f)'),
      '/m/good': await wat(`(memory 1 40) (func (export "trap") unreachable) (func $deep (export "deep") (call $deep))
        (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))) (func (export "size") (result i32) (memory.size))`),
    }
    const run = await runC(`
      const char *paths[] = {"/m/broken", "/m/imports", "/m/type", "/m/memory", "/m/table", "/m/segment", "/m/start"};
      for (int i = 0; i < 7; i++) number(load(paths[i]));
      number(sys_wasm_load(image, 100 << 20, 0)); number(sys_wasm_load((void *)8, 8, 0)); number(sys_wasm_load(image, 0, "empty"));
      int good = load("/m/good"); number(good);
      number(call(good, "trap", 0, 0, 0)); number(call(good, "deep", 0, 0, 0));
      number(call(good, "grow", 30, 0, 1)); number(result); number(call(good, "grow", 30, 0, 1)); number(result);
      number(call(good, "grow", -1, 0, 1)); number(result); number(call(good, "size", 0, 0, 0)); number(result);`, modules)
    expect(printed(run)).toBe('-8 -8 -8 -8 -8 -8 -14 -14 -14 -8 1 -14 -12 0 1 0 -1 0 -1 0 31')
    expect(logOf(run).map((line) => line.replace(' (pid 1)', ''))).toEqual([
      'wasm: /m/broken: not loaded: it is not a valid WebAssembly module',
      'wasm: /m/imports: not loaded: it imports "env" "now", which is not available',
      `wasm: /m/type: not loaded: it imports "${WASI}" "fd_write" with another type than it has`,
      'wasm: /m/memory: not loaded: it has 2000 pages of memory, at most 1024 are accepted',
      'wasm: /m/table: not loaded: it has 100000 table entries, at most 65536 are accepted',
      'wasm: /m/segment: not loaded: one of its segments does not fit into its memory or table',
      'wasm: /m/start: start: trap: unreachable',
      'wasm: empty: not loaded: it is not a valid WebAssembly module',
      'wasm: /m/good: trap: trap: unreachable',
      'wasm: /m/good: deep: calls are nested too deeply for 524288 bytes of stack',
      'wasm: /m/good: its memory of 31 pages may not grow: at most 40, and what the machine has',
    ])
  })

  it('keep modules apart, up to a limit', async () => {
    const counter = await wat(`(global $n (mut i32) (i32.const 0)) (func (export "next") (result i32)
      (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))`)
    const run = await runC(`
      int last = 0, count = 0; while ((last = load("/m/counter")) > 0) count++;
      number(count); number(last);
      for (int i = 1; i <= 8; i++) for (int j = 0; j < i; j++) call(i, "next", 0, 0, 0);
      for (int i = 1; i <= 8; i++) { call(i, "next", 0, 0, 0); number(result); }
      sys_wasm_unload(3); number(load("/m/counter")); call(3, "next", 0, 0, 0); number(result);
      int child = sys_fork(); if (child == 0) sys_exit(call(1, "next", 0, 0, 0) == -EINVAL);
      int status; sys_wait(child, &status, 0); number(status);`, { '/m/counter': counter })
    expect(printed(run)).toBe('16 -24 2 3 4 5 6 7 8 9 3 1 1')
  })

  it('charge memory to the machine', async () => {
    const big = await wat('(memory 600) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))')
    const run = await runC(`
      number(load("/m/big")); number(load("/m/big")); number(call(1, "grow", 500, 0, 1)); number(result);
      number(sys_wasm_unload(1)); number(load("/m/big"));`, { '/m/big': big })
    expect(printed(run)).toBe('1 -12 0 -1 0 1')
    const { frames } = run.session.kernel
    expect(frames.available).toBe(frames.free)
  })

  it('cost an endless loop its own time slices and nothing more', async () => {
    const run = await runC(`
      int pipes[2]; sys_pipe(pipes); int64_t start = sys_clock();
      int spinner = sys_fork();
      if (spinner == 0) { int m = load("/m/loop"); sys_write(pipes[1], "x", 1); call(m, "spin", 0, 0, 0); sys_exit(0); }
      char c; sys_read(pipes[0], &c, 1);
      volatile int64_t turns = 0; int64_t end = sys_clock() + 200000000; while (sys_clock() < end) for (int i = 0; i < 5000; i++) turns++;
      number(turns > 100000);
      number(sys_kill(spinner, SIGTERM)); int status; sys_wait(spinner, &status, 0); number(status - ENDED_BY_SIGNAL);
      start = sys_clock(); number(sys_clock() - start < 100000);`, { '/m/loop': await wat(LOOP) })
    expect(printed(run)).toBe('1 0 15 1')
    const { kernel } = run.session
    expect(kernel.wasm.views()).toEqual([])
  })

  it('let two loops have the same share', async () => {
    const run = await runC(`
      for (int i = 0; i < 2; i++) if (sys_fork() == 0) { int m = load("/m/loop"); call(m, "spin", 0, 0, 0); }
      sys_sleep(400000000);`, { '/m/loop': await wat(LOOP) }, { untilNs: 390_000_000 })
    const [, first, second] = run.session.kernel.processes().map(({ cpuNs }) => cpuNs)
    expect(Math.abs(first - second)).toBeLessThan(25_000_000)
    expect(first + second).toBeGreaterThan(370_000_000)
  })

  it('give everything back, however often modules are loaded and killed', async () => {
    const run = await runC(`
      for (int round = 0; round < 40; round++) {
        int child = sys_fork();
        if (child == 0) { load("/m/loop"); int m = load("/m/loop"); call(m, "spin", 0, 0, 0); }
        sys_sleep(3000000); sys_kill(child, SIGKILL); sys_wait(child, 0, 0);
      }
      print("done"); for (;;) sys_sleep(1000000000);`, { '/m/loop': await wat(`(memory 20) ${LOOP}`) }, { untilNs: 900_000_000 })
    expect(printed(run)).toBe('done')
    const { kernel } = run.session
    expect(kernel.wasm.views()).toEqual([])
    expect(kernel.frames.free - kernel.frames.available).toBeLessThan(4096)
  })

  it('repeat exactly', async () => {
    const once = (): Promise<Run> =>
      runC(`
        for (int i = 0; i < 3; i++) if (sys_fork() == 0) { int m = load("/lib/test.wasm"); for (int n = 0; n < 200; n++) {
          call(m, "factorial", n, 0, 1); if (n % 50 == 49) number(result); } sys_exit(0); }
        while (sys_wait(-1, 0, 0) > 0);`, { '/lib/test.wasm': testModule })
    const [first, second] = [await once(), await once()]
    expect(second.output).toBe(first.output)
    expect(second.status).toEqual(first.status)
    expect(first.output.replace(LOGGED, '')).toContain('init: ')
  })
})
