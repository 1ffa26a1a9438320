import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { INSTALLATION, SHARED_CACHE, freshToolchain } from '../toolchain/testing/folders.ts'
import { runProgram } from './testing/run-program.ts'
import type { Run, RunOptions } from './testing/run-program.ts'

const toolchain = freshToolchain(SHARED_CACHE)
let boot: Uint8Array
let testModule: Uint8Array

beforeAll(async () => {
  boot = await toolchain.assembleBoot()
  testModule = await build('test.wat', undefined, join(INSTALLATION, 'user', 'test.wat'))
}, 300_000)

async function build(path: string, text?: string, file = join(INSTALLATION, path)): Promise<Uint8Array> {
  const result = await toolchain.build({ path, file, text })
  if (!result.ok) throw new Error(result.message ?? result.diagnostics.map(({ line, message }) => `${line}: ${message}`).join('\n'))
  return result.output
}

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

async function runC(body: string, modules: Record<string, Uint8Array>, options: Partial<RunOptions> = {}): Promise<Run> {
  const program = await build('test.c', `${HELPERS}\nvoid _start(int argc, char **argv) {\n${body}\nsys_exit(0);\n}\n`)
  return runProgram(program, { boot, files: new Map(Object.entries(modules)), ...options })
}

describe('a module as a program', () => {
  it('calls an exported function and prints its result', () => {
    expect(runModule(testModule, ['--invoke', 'factorial', '10'])).toMatchObject({ program: '3628800', status: { exitStatus: 0 } })
    expect(runModule(testModule, ['--invoke', 'add', '-5', '0x10']).program).toBe('11')
    expect(runModule(testModule, ['--invoke', 'get_magic_number']).program).toBe('42')
  })
})

describe('system calls', () => {
  it('load a module and call its functions', async () => {
    const { program } = await runC(`
      int module = load("/lib/test.wasm"); number(module);
      number(call(module, "add", 40, 2, 2)); number(result);
      number(call(module, "factorial", 10, 0, 1)); number(result);
      number(call(module, "get_magic_number", 0, 0, 0)); number(result);
      number(call(module, "nothing", 0, 0, 0)); number(call(module, "add", 1, 2, 1)); number(call(99, "add", 1, 2, 2));
      number(sys_wasm_unload(module)); number(sys_wasm_unload(module)); number(call(module, "add", 1, 2, 2));`,
      { '/lib/test.wasm': testModule })
    expect(program).toBe('1 0 42 0 3628800 0 42 -2 -22 -22 0 -22 -22')
  })
})
