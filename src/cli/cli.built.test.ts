import type { ChildProcess } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ExitStatus } from './exit-status.ts'

/** The command line as people run it: the built one, in a process of its own. */

const root = join(import.meta.dirname, '..', '..')
const script = join(root, 'scripts', 'atoll.mjs')
const user = (name: string): string => join(root, 'user', name)

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'atoll-cli-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

interface Result {
  status: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

function start(args: string[]): ChildProcess {
  return spawn(process.execPath, [script, ...args], { cwd: folder, stdio: ['pipe', 'pipe', 'pipe'] })
}

function finish(child: ChildProcess, input: string | Uint8Array = ''): Promise<Result> {
  return new Promise((resolve, reject) => {
    let stdout = ''
    let stderr = ''
    child.stdout!.setEncoding('latin1').on('data', (text) => (stdout += text))
    child.stderr!.setEncoding('utf8').on('data', (text) => (stderr += text))
    child.on('error', reject)
    child.on('close', (status, signal) =>
      resolve({ status, signal, stdout, stderr: stderr.replace(/^atoll: (?:building|built|waiting).*\n/gm, '') }),
    )
    child.stdin!.on('error', () => undefined)
    child.stdin!.end(input)
  })
}

const atoll = (...args: string[]): Promise<Result> => finish(start(args))

function put(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content)
  return name
}

/** A refusal: status 2, nothing on standard output, and sentences without a stack. */
function expectRefusal({ status, stdout, stderr }: Result, message: string | RegExp): void {
  expect(stderr).toMatch(message)
  expect(stderr).not.toMatch(/^\s+at .*:\d+/m)
  expect(stderr).not.toContain('internal error')
  expect(stdout).toBe('')
  expect(status).toBe(ExitStatus.USAGE_OR_BUILD)
}

describe('atoll run', () => {
  it('prints the boot log and the greeting, and nothing else', async () => {
    const { status, stdout, stderr } = await atoll('run', user('hello.c'))
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^\[ +0\.\d{6}\] boot: /)
    expect(stdout).toContain('\n[user] Hello from ring-3!\n')
    expect(status).toBe(0)
  })

  it('gives the shell a /bin, and ends with its status', async () => {
    const { status, stdout } = await finish(start(['run', user('sh.c')]), 'ls /bin\nsay one two | wc\nexit 3\n')
    expect(stdout).toContain('1 2 8\n')
    expect(stdout).toContain('primes\n')
    expect(status).toBe(3)
  })

  it('is repeatable to the byte', async () => {
    const runs = await Promise.all([1, 2].map(() => finish(start(['run', user('echo.c')]), 'one\ntwo\n')))
    expect(runs[0].stdout).toContain('\n> Bye.\n')
    expect(runs[1]).toEqual(runs[0])
  })

  it('takes the arguments behind FILE to the program, and its own options from there', async () => {
    const file = put(
      'args.c',
      `#include <atoll.h>
      static size_t length(const char *text) { size_t n = 0; while (text[n]) n++; return n; }
      void _start(int argc, char **argv) {
        for (int i = 1; i < argc; i++) sys_log(argv[i], length(argv[i]));
        sys_exit(argc);
      }`,
    )
    const { status, stdout } = await atoll('run', file, '-n', '--help', '--memory', '32M', 'ñ "x"', '', '--', '--seed')
    expect(stdout).toContain('32768 KiB of RAM')
    expect(stdout).toContain(
      '[user] -n\n[user] --help\n[user] ñ "x"\n[user] \n[user] --seed\n'.replaceAll('ñ', Buffer.from('ñ').toString('latin1')),
    )
    expect(status).toBe(6)
  })

  it('hands a folder over with --files', async () => {
    mkdirSync(join(folder, 'data'))
    put('data/note.txt', 'from the host\n')
    const file = put(
      'cat.c',
      `#include <atoll.h>
      static char text[64];
      void _start(void) {
        int64_t file = sys_open("/note.txt", 0, 0);
        int64_t length = sys_read((int)file, text, sizeof text);
        sys_write(1, text, (size_t)length);
        sys_exit(file < 0 ? 1 : 0);
      }`,
    )
    const { status, stdout, stderr } = await atoll('run', file, '--files', 'data')
    expect(stderr).toBe('')
    expect(stdout).toContain('\nfrom the host\n')
    expect(status).toBe(0)
  })

  it('ends with the status of a program that a fault ended, which names address, instruction and line', async () => {
    const { status, stdout } = await atoll('run', user('fault.c'))
    expect(stdout).toMatch(/fault \(pid 1\): page fault writing 0x0 at 0x[0-9a-f]+ .*\(fault\.c:\d+\)/)
    expect(status).toBe(139)
  })

  it('is stopped by the limit of virtual time', async () => {
    const { status, stdout, stderr } = await atoll('run', user('spin.c'), '--time-limit', '20ms')
    expect(stdout).toContain('[user] ')
    expect(stderr).toBe('atoll: stopped at the time limit of 0.02 s of virtual time\n')
    expect(status).toBe(ExitStatus.TIME_LIMIT)
  })

  it('reaches the limit also while the program waits for input that does not come', async () => {
    const child = start(['run', user('echo.c'), '--time-limit', '300ms'])
    const result = await new Promise<number | null>((resolve) => child.on('close', resolve).stdout!.resume())
    child.stdin!.destroy()
    expect(result).toBe(ExitStatus.TIME_LIMIT)
  })

  it('answers input as it comes', async () => {
    const child = start(['run', user('echo.c')])
    let seen = ''
    child.stdout!.setEncoding('latin1').on('data', (text: string) => {
      seen += text
      if (seen.endsWith('> ') && !seen.includes('first')) child.stdin!.write('first\n')
      if (seen.endsWith('> first\nfirst\n> ')) child.stdin!.end('second\n')
    })
    const status = await new Promise((resolve) => child.on('close', resolve))
    expect(seen).toMatch(/> first\nfirst\n> second\nsecond\n> Bye\.\n/)
    expect(status).toBe(0)
  })

  it('ends quietly when nobody reads its output', async () => {
    const file = put('flood.c', '#include <atoll.h>\nvoid _start(void) { for (;;) sys_log("flood", 5); }')
    const child = start(['run', file])
    let stderr = ''
    child.stderr!.on('data', (text) => (stderr += text))
    child.stdout!.once('data', () => child.stdout!.destroy())
    const status = await new Promise((resolve) => child.on('close', resolve))
    expect(status).toBe(ExitStatus.BROKEN_PIPE)
    expect(stderr.replace(/^atoll: (?:building|built|waiting).*\n/gm, '')).toBe('')
  })

  it('ends at an interrupt', async () => {
    const child = start(['run', user('spin.c')])
    child.stdout!.on('data', (text) => String(text).includes('[user]') && child.kill('SIGINT'))
    const [status, signal] = await new Promise<[number | null, string | null]>((resolve) =>
      child.on('close', (code, by) => resolve([code, by])),
    )
    expect(signal ?? status).toBe('SIGINT')
  })

  it('reports a mistake in the source where it is', async () => {
    expectRefusal(await atoll('run', put('type.c', 'void _start(void) {\n  int x = "text";\n}\n')), /^type\.c:2:7: error: .+\n/)
  })

  it('calls functions of a WebAssembly module', async () => {
    const invoked = await atoll('run', user('test.wat'), '--invoke', 'factorial', '10')
    expect(invoked).toMatchObject({ status: 0, stdout: expect.stringContaining('\n3628800\n') })
    expect((await atoll('run', user('wasm_test.c'))).stdout).toContain('factorial = 3628800\nget_magic_number = 42\n')
    const unknown = await atoll('run', user('test.wat'), '--invoke', 'nothing')
    expect(unknown).toMatchObject({ status: 2, stdout: expect.stringContaining('test exports no function nothing\n') })
  })

  it('refuses WebAssembly modules that cannot be run', async () => {
    const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
    for (const file of [put('prog.wasm', Uint8Array.of(...header, 9)), put('module', Uint8Array.of(...header, 9))])
      expectRefusal(await atoll('run', file), /^atoll: .* is a WebAssembly module that cannot be run: it is not a valid/)
    expectRefusal(await atoll('run', put('wrong.wat', '(module (func (result i32)))')), /^wrong\.wat:1:\d+: error: /)
  })

  it('refuses what is no program, each with one sentence', async () => {
    expect((await atoll('build', user('hello.c'), '-o', 'hello')).status).toBe(0)
    const hello = readFileSync(join(folder, 'hello'))
    const patched = (offset: number, ...bytes: number[]): Uint8Array => {
      const copy = Uint8Array.from(hello)
      copy.set(bytes, offset)
      return copy
    }
    // Elf64_Phdr.p_memsz of the first PT_LOAD segment.
    const headers = Number(hello.readBigUInt64LE(32))
    const load = Array.from({ length: hello.readUInt16LE(56) }, (_, index) => headers + 56 * index).find(
      (at) => hello.readUInt32LE(at) === 1,
    )!
    const memsz = load + 40
    const cases: [string, Uint8Array | string, RegExp][] = [
      ['empty', '', /empty \(0 bytes\)/],
      ['text', 'just some text', /text: .*ELF/],
      ['truncated', hello.subarray(0, 300), /truncated/],
      ['header', hello.subarray(0, 20), /truncated/],
      ['arm', patched(18, 0xb7, 0), /64-bit ARM.*x86-64/],
      ['elf32', patched(4, 1), /32-bit|class/i],
      ['huge', patched(memsz, 0, 0, 0, 0x80, 0, 0, 0, 0), /2\.0 GiB|2147483648|too (?:large|much)|memory/],
    ]
    for (const [name, content, message] of cases) {
      const result = await atoll('run', put(name, content))
      expectRefusal(result, message)
      expect(result.stderr.trimEnd().split('\n').length, result.stderr).toBe(1)
    }
    expectRefusal(await atoll('run', put('nothing.c', '')), /neither _start.* nor main/)
    expectRefusal(await atoll('run', 'missing.c'), /^atoll: cannot read missing\.c: there is no such file\n$/)
    expectRefusal(await atoll('run', 'missing'), /^atoll: cannot read missing: there is no such file\n$/)
    expectRefusal(await atoll('run', '.'), /^atoll: cannot read \.: it is a folder\n$/)
  })

  it.each([
    [['run'], /missing required argument 'FILE'/],
    [['run', '--memory', '5', 'x'], /'--memory <amount>' argument '5' is invalid.*between 16M and 1024M/],
    [['run', 'x', '--time-limit', 'soon'], /expected a duration such as 10s/],
    [['run', 'x', '--seed'], /'--seed <number>' argument missing/],
    [['run', '--what', 'x'], /unknown option '--what'/],
    [['frobnicate'], /unknown command 'frobnicate'/],
    [['build', 'x.c'], /required option '-o, --output <OUT>' not specified/],
    [['serve', '--port', '70000'], /expected a port from 0 to 65535/],
    [['serve', 'extra'], /too many arguments/],
    [['bench', 'nothing'], /there is no benchmark nothing/],
  ])('refuses %j', async (args, message) => {
    expectRefusal(await atoll(...args), message)
  })

  it('helps', async () => {
    for (const args of [['--help'], ['run', '--help'], ['help', 'boot']]) {
      const { status, stdout, stderr } = await atoll(...args)
      expect(stdout).toContain('Usage: atoll')
      expect([status, stderr]).toEqual([0, ''])
    }
    expect((await atoll('--version')).stdout).toBe(`${JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version}\n`)
  })
})

/** script(1) of util-linux gives a program a terminal. */
const hasScript = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') ?? false

describe.skipIf(!hasScript)('at a terminal', () => {
  /** Presses keys as soon as what was printed so far ends with a text, one after the other; returns all that was printed. */
  async function type(args: string[], keys: [string, string][]): Promise<{ status: number | null; printed: string }> {
    const command = [process.execPath, script, ...args].map((word) => `'${word}'`).join(' ')
    const child = spawn('script', ['-qefc', command, '/dev/null'], { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] })
    let printed = ''
    child.stdout.setEncoding('latin1').on('data', (text: string) => {
      printed += text
      if (keys.length > 0 && printed.endsWith(keys[0][0])) child.stdin.write(keys.shift()![1])
    })
    const status = await new Promise<number | null>((resolve) => child.on('close', resolve))
    return { status, printed }
  }

  it('leaves echo and line editing to the guest', async () => {
    const { status, printed } = await type(
      ['run', user('echo.c')],
      [
        ['> ', 'helpo\x7f\x7flo\r'],
        ['hello\r\n> ', '\x04'],
      ],
    )
    expect(printed).toContain('> helpo\b \b\b \blo\r\nhello\r\n> Bye.\r\n')
    expect(status).toBe(0)
  })

  it('hands Ctrl-C to the guest', async () => {
    const { status, printed } = await type(['run', user('spin.c')], [['for ever.\r\n', '\x03']])
    expect(printed).toContain('^C\r\n')
    expect(status).toBe(ExitStatus.INTERRUPTED)
  })

  it('ends at Ctrl-C twice, whatever the guest does', async () => {
    // mov dx, 0x3f8; mov al, '#'; out dx, al; jmp $
    const file = put('deaf.bin', kernel(0x66, 0xba, 0xf8, 0x03, 0xb0, 0x23, 0xee, 0xeb, 0xfe))
    expect((await type(['boot', file], [['#', '\x03\x03']])).status).toBe(ExitStatus.INTERRUPTED)
  })
})

describe('atoll build', () => {
  it('makes a program that runs', async () => {
    put('main.c', '#include <atoll.h>\nint answer(void);\nvoid _start(void) { sys_exit(answer()); }')
    put('answer.c', 'int answer(void) { return 42; }')
    expect(await atoll('build', 'main.c', 'answer.c', '-o', 'linked')).toEqual({ status: 0, signal: null, stdout: '', stderr: '' })
    expect(statSync(join(folder, 'linked')).mode & 0o100).toBe(0o100)
    expect((await atoll('run', 'linked')).status).toBe(42)
  })

  it('makes a module of WAT', async () => {
    expect((await atoll('build', user('test.wat'), '-o', 'test.wasm')).status).toBe(0)
    expect(readFileSync(join(folder, 'test.wasm')).subarray(0, 4)).toEqual(Buffer.from('\0asm'))
  })

  it('leaves the old output alone when the source is wrong, and says when it cannot write', async () => {
    put('out', 'old')
    expectRefusal(await atoll('build', put('bad.c', 'int'), '-o', 'out'), /^bad\.c:1:\d+: error: /)
    expect(readFileSync(join(folder, 'out'), 'utf8')).toBe('old')
    expectRefusal(await atoll('build', user('hello.c'), '-o', 'nowhere/out'), /^atoll: cannot write nowhere\/out: there is no such file/)
    mkdirSync(join(folder, 'closed'))
    chmodSync(join(folder, 'closed'), 0o500)
    const isRoot = process.getuid?.() === 0
    if (!isRoot) expectRefusal(await atoll('build', user('hello.c'), '-o', 'closed/out'), /permission denied/)
  })
})

/** A Multiboot image with address fields: header, then code, at 1 MiB. */
function kernel(...code: number[]): Uint8Array {
  const image = new Uint8Array(32 + code.length)
  const view = new DataView(image.buffer)
  const magic = 0x1badb002
  const flags = 1 << 16
  const load = 0x100000
  const header = [magic, flags, -(magic + flags), load, load, load + image.length, load + image.length, load + 32]
  header.forEach((word, index) => view.setUint32(4 * index, word >>> 0, true))
  image.set(code, 32)
  return image
}

const OUT_A_AND_NEWLINE = [0x66, 0xba, 0xf8, 0x03, 0xb0, 0x41, 0xee, 0xb0, 0x0a, 0xee]

describe('atoll boot', () => {
  it('runs a kernel that is not ours, and ends as it says', async () => {
    // mov al, 21; out 0xf4, al
    const file = put('exit.bin', kernel(...OUT_A_AND_NEWLINE, 0xb0, 21, 0xe6, 0xf4))
    expect(await atoll('boot', file)).toEqual({ status: 43, signal: null, stdout: 'A\n', stderr: '' })
  })

  it('says when the processor shuts down', async () => {
    // ud2 without an IDT
    const { status, stdout, stderr } = await atoll('boot', put('fault.bin', kernel(...OUT_A_AND_NEWLINE, 0x0f, 0x0b)))
    expect(stdout).toBe('A\n')
    expect(stderr).toMatch(/^atoll: the processor shut down: .*triple fault/m)
    expect(status).toBe(ExitStatus.KERNEL)
  })

  it('ends when the kernel halts for good, or at the limit', async () => {
    expect((await atoll('boot', put('halt.bin', kernel(0xfa, 0xf4)))).status).toBe(0)
    expect((await atoll('boot', put('loop.bin', kernel(0xeb, 0xfe)), '--time-limit', '10ms')).status).toBe(ExitStatus.TIME_LIMIT)
  })

  it('refuses what is no kernel', async () => {
    expectRefusal(await atoll('boot', put('none.bin', 'x')), /^atoll: none\.bin: /)
    expectRefusal(await atoll('boot', 'missing.bin'), /there is no such file/)
  })
})
