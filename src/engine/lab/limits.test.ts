import { describe, expect, it, vi } from 'vitest'
import { DESCRIPTORS_MAX, OPEN_FILES_MAX } from '../kernel/fs/open-file.ts'
import { PROCESSES_MAX } from '../kernel/process/scheduler.ts'
import { HELPERS as MODULE_HELPERS } from '../kernel/wasm/instrument/layout.ts'
import { MachineSession } from './session.ts'
import { usageAfterAll } from './testing/random-calls.ts'
import { usageOf } from './testing/kernel-usage.ts'
import { boot, build, buildBody } from './testing/programs.ts'
import { runProgram } from './testing/run-program.ts'
import type { Run, RunOptions } from './testing/run-program.ts'

/** Programs that want more than there is: each meets a limit and an error number, and everything comes back. */

const MIB = 1 << 20
const S = 1_000_000_000
/** For what takes a few seconds on an idle host. */
const SLOW_MS = 180_000

const HELPERS = `#include <atoll.h>
#include <text.h>
static void number(int64_t n) { print_number(n); print(" "); }
static int64_t linux_call(int64_t n, uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
  register uint64_t r10 __asm__("r10") = d; int64_t result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
  return result;
}
static int load(const char *path) {
  static char image[65536];
  int fd = sys_open(path, O_RDONLY, 0);
  int64_t length = sys_read(fd, image, sizeof image);
  sys_close(fd);
  return sys_wasm_load(image, (size_t)length, path);
}`

/** Runs the body of a `_start`, with functions before it. */
async function run(body: string, options: Partial<RunOptions> = {}, before = ''): Promise<Run> {
  return runProgram(await buildBody(`${HELPERS}\n${before}`, body), { boot, untilNs: 60 * S, ...options })
}

/** What the program printed, without log lines and without what the kernel says of ended programs. */
const printed = ({ program }: Run): string => program.replace(/\n?(\[ *\d+\.\d+\]|atoll: |  ).*(?=\n|$)/g, '').replace(/\s+/g, ' ').trim()

/** A machine that is over holds what one holds that never did anything. */
async function expectAllBack({ session, status }: Run, options: Partial<RunOptions> = {}): Promise<void> {
  expect(status.phase, status.message).toBe('exited')
  const idle = await run('', options)
  expect(usageAfterAll(session)).toEqual(usageAfterAll(idle.session))
}

const DRAIN = 'while (sys_wait(-1, 0, 0) > 0) {}'

describe('programs that want too much', () => {
  it('a fork bomb, in which every child forks as well', async () => {
    const bomb = await run(`
      int first = sys_fork();
      if (first == 0) for (;;) sys_fork();
      sys_sleep(50000000);
      int before = sys_fork(); if (before == 0) sys_exit(0);
      number(before);
      for (int again = 0; again < 3; again++) for (int pid = 2; pid < 2000; pid++) sys_kill(pid, SIGKILL);
      ${DRAIN}
      int child = sys_fork(); if (child == 0) sys_exit(5);
      int status; number(sys_wait(child, &status, 0) == child); number(status);`)
    expect(printed(bomb)).toMatch(/^-1[12] 1 5$/)
    await expectAllBack(bomb)
  }, SLOW_MS)

  it('a program that allocates for ever, in small and in large pieces, and in its children', async () => {
    for (const ramBytes of [6 * MIB, 64 * MIB]) {
      const hog = await run(`
        for (int step = 4096; step <= 1 << 22; step *= 32) {
          int child = sys_fork();
          if (child == 0) {
            int64_t error = 0, total = 0;
            for (;;) {
              char *piece = sys_mmap(0, step, PROT_READ | PROT_WRITE);
              if ((error = (int64_t)piece) < 0) break;
              for (int page = 0; page < step; page += 4096) piece[page] = 1;
              total += step;
            }
            number(error); number(total > ${ramBytes / 2} && total < ${ramBytes}); number(sys_fork() < 0); sys_exit(0);
          }
          sys_wait(child, 0, 0);
        }`, { ramBytes })
      expect(printed(hog)).toBe('-12 1 1 -12 1 1 -12 1 1')
      await expectAllBack(hog, { ramBytes })
    }
  }, SLOW_MS)

  it('a program that prints for ever has its share of the processor and no more', async () => {
    const chatter = await run(`
      int child = sys_fork();
      if (child == 0) for (;;) print("and another thing\\n");
      int64_t turns = 0, end = sys_clock() + 100000000;
      while (sys_clock() < end) for (volatile int i = 0; i < 1000; i++) turns++;
      sys_kill(child, SIGKILL); sys_wait(child, 0, 0); print("\\n"); print("turns "); number(turns > 100000);`)
    expect(chatter.program).toMatch(/\nturns 1$/)
    await expectAllBack(chatter)
  })

  it('a thousand descriptors', async () => {
    const open = await run(`
      int last, count = 0; while ((last = sys_open("/dev/null", O_RDONLY, 0)) >= 0) count++;
      number(count); number(last); number(sys_pipe(&last)); number(sys_queue(1)); number(sys_socket(AF_INET, SOCK_DGRAM, 0));
      number(sys_dup(0, -1)); number(sys_open("/made", O_CREAT | O_WRONLY, 0)); struct atoll_stat stat; number(sys_stat("/made", &stat));`)
    expect(printed(open)).toBe(`${DESCRIPTORS_MAX - 3} -24 -24 -24 -24 -24 -24 -2`)
    await expectAllBack(open)
  })

  it('more open files than the machine has', async () => {
    const open = await run(`
      int children[6];
      for (int i = 0; i < 6; i++) if ((children[i] = sys_fork()) == 0) {
        while (sys_open("/dev/null", O_RDONLY, 0) >= 0) {}
        for (;;) sys_sleep(1000000000);
      }
      sys_sleep(200000000);
      struct atoll_stat stat; int pipes[2];
      number(sys_open("/dev/null", O_RDONLY, 0)); number(sys_queue(77)); number(sys_pipe(pipes));
      number(sys_socket(AF_INET, SOCK_DGRAM, 0)); number(sys_open("/made", O_CREAT | O_WRONLY, 0)); number(sys_stat("/made", &stat));
      number(sys_fork() == 0 ? (sys_exit(0), 0) : 1);
      for (int i = 0; i < 6; i++) sys_kill(children[i], SIGKILL);
      ${DRAIN} number(sys_open("/dev/null", O_RDONLY, 0));`)
    expect(printed(open)).toBe('-23 -23 -23 -23 -23 -2 1 3')
    expect(open.session.kernel.openFiles.count).toBeLessThan(OPEN_FILES_MAX)
    await expectAllBack(open)
  })

  it('a zombie factory', async () => {
    const factory = await run(`
      int made = 0, child; while ((child = sys_fork()) > 0) { made++; sys_yield(); } if (child == 0) sys_exit(made & 0x7f);
      number(made); number(child); int status, sum = 0, reaped = 0; while (sys_wait(-1, &status, 0) > 0) { reaped++; sum += status; }
      number(reaped); number(sum > 0); child = sys_fork(); if (child == 0) sys_exit(0); number(sys_wait(child, 0, 0) == child);`)
    expect(printed(factory)).toBe(`${PROCESSES_MAX - 1} -11 ${PROCESSES_MAX - 1} 1 1`)
    await expectAllBack(factory)
  })

  it('an orphan tree: who loses its parent is nobody’s zombie', async () => {
    const tree = await run(`
      for (int i = 0; i < 40; i++) if (sys_fork() == 0) {
        for (int depth = 0; depth < 4; depth++) if (sys_fork() == 0 && depth == 3) { sys_sleep(20000000); sys_exit(0); }
        sys_exit(0);
      }
      ${DRAIN} sys_sleep(200000000); number(sys_wait(-1, 0, 0));`)
    expect(printed(tree)).toBe('-10')
    await expectAllBack(tree)
  })

  it('a full RAM disk, by bytes and by names, sparse files among them', async () => {
    const disk = await run(`
      static char block[65536]; int64_t total = 0, got; int fd = sys_open("/big", O_WRONLY | O_CREAT, 0644);
      while ((got = sys_write(fd, block, sizeof block)) > 0) total += got;
      number(got); number(total > ${10 * MIB}); number(sys_write(fd, "x", 1)); sys_close(fd);
      number(sys_unlink("/big"));
      for (int i = 0; ; i++) {
        char name[] = "/s00000"; for (int at = 6, rest = i; at > 1; at--, rest /= 10) name[at] = '0' + rest % 10;
        fd = sys_open(name, O_RDWR | O_CREAT, 0644); if (fd < 0) { number(fd); break; }
        sys_seek(fd, (1 << 30) - 1, SEEK_SET); got = sys_write(fd, "x", 1); sys_close(fd);
        if (got < 0) { number(got); number(i > 2000); break; }
      }
      for (int i = 0; ; i++) {
        char name[] = "/s00000"; for (int at = 6, rest = i; at > 1; at--, rest /= 10) name[at] = '0' + rest % 10;
        if (sys_unlink(name) < 0) break;
      }
      fd = sys_open("/big", O_WRONLY | O_CREAT, 0644); number(sys_write(fd, block, sizeof block)); sys_unlink("/big"); sys_close(fd);
      for (int i = 0; ; i++) {
        char name[] = "/d00000"; for (int at = 6, rest = i; at > 1; at--, rest /= 10) name[at] = '0' + rest % 10;
        got = sys_mkdir(name, 0755); if (got < 0) { number(got); number(i > 60000); break; }
      }
      for (int i = 0; ; i++) {
        char name[] = "/d00000"; for (int at = 6, rest = i; at > 1; at--, rest /= 10) name[at] = '0' + rest % 10;
        if (sys_rmdir(name) < 0) break;
      }
      number(sys_mkdir("/again", 0755)); number(sys_rmdir("/again"));`, { ramBytes: 32 * MIB })
    expect(printed(disk)).toBe('-28 1 -28 0 -28 1 65536 -28 1 0 0')
    await expectAllBack(disk, { ramBytes: 32 * MIB })
  }, SLOW_MS)

  it('a recursion without end, in a child and in a module', async () => {
    const module = '(module (func $d (export "down") (result i32) (i32.add (call $d) (i32.const 1))))'
    const files = new Map([['/m/deep', await build('m.wat', module)]])
    const down = `__attribute__((noinline)) static int down(volatile int n) {
      volatile char room[1000]; room[n % 1000] = n; return down(n + 1) + room[5]; }`
    const deep = await run(`
      int child = sys_fork(), status; if (child == 0) sys_exit(down(1));
      sys_wait(child, &status, 0); number(status - ENDED_BY_SIGNAL == SIGSEGV);
      int id = load("/m/deep"); int32_t word;
      for (int i = 0; i < 2; i++) number(sys_wasm_exec(id, "down", 0, 0, &word));`, { files }, down)
    expect(printed(deep)).toBe('1 -12 -12')
    await expectAllBack(deep, { files })
  })

  it('modules loaded and unloaded again and again, eight of them at once', async () => {
    const module = await build('m.wat', '(module (memory 4) (func (export "one") (result i32) (i32.const 1)))')
    const loader = await run(`
      int ids[8]; int32_t word; int64_t sum = 0;
      for (int round = 0; round < 150; round++) {
        for (int i = 0; i < 8; i++) ids[i] = load("/m/one");
        for (int i = 0; i < 8; i++) { sys_wasm_exec(ids[i], "one", 0, 0, &word); sum += word; }
        for (int i = 0; i < 8; i++) sum -= sys_wasm_unload(ids[i]) != 0;
      }
      number(sum); number(ids[7]);`, { files: new Map([['/m/one', module]]) })
    expect(printed(loader)).toBe('1200 8')
    await expectAllBack(loader, { files: new Map([['/m/one', module]]) })
  })

  it('sockets left open, full of datagrams', async () => {
    const sockets = await run(`
      int fd, count = 0; static char block[60000];
      struct atoll_address to = {AF_INET, 0, 0x0100007f};
      while ((fd = sys_socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0)) >= 0) {
        to.port = (uint16_t)(0x1000 + count++); sys_bind(fd, &to);
        for (int i = 0; i < 6; i++) sys_sendto(fd, block, sizeof block, 0, &to);
      }
      number(fd); number(count); if (sys_fork() == 0) for (;;) sys_sleep(1000000000);`)
    expect(printed(sockets)).toBe(`-24 ${DESCRIPTORS_MAX - 3}`)
    const { kernel } = sockets.session
    expect(usageOf(kernel)).toMatchObject({ sockets: DESCRIPTORS_MAX - 3, processes: 1 })
    expect(kernel.network.sockets.bufferedBytes).toBeGreaterThan(7 * MIB)
    expect(kernel.network.sockets.bufferedBytes).toBeLessThanOrEqual(8 * MIB)
    await expectAllBack(sockets)
  })
})

describe('what random calls have found', () => {
  it('a fork for which there is no memory is ENOMEM', async () => {
    const poor = await run(`
      int child = sys_fork();
      if (child == 0) {
        // Every last frame but those set aside for page tables, which a second copy of many tables needs.
        for (int64_t at = 0x10000000; ; at += 2 << 20) {
          char *page = sys_mmap((void *)at, 4096, PROT_READ | PROT_WRITE);
          if ((int64_t)page < 0) break;
          *page = 1;
          int grandchild = sys_fork(); if (grandchild == 0) sys_exit(0);
          if (grandchild < 0) { number(grandchild); break; }
          sys_wait(grandchild, 0, 0);
        }
        sys_exit(0);
      }
      ${DRAIN}`, { ramBytes: 5 * MIB })
    expect(printed(poor)).toBe('-12')
    await expectAllBack(poor, { ramBytes: 5 * MIB })
  })

  /**
   * A key that comes while the reader is on its way to the line is found by the reader itself, who has a long line to read: it is ended by
   * what it reads, and must not go on to store it.
   */
  const readers = {
    SYS_READ: 'sys_read(0, &byte, 1);',
    readv: 'uint64_t parts[] = {(uint64_t)&byte, 1, (uint64_t)&byte, 1}; linux_call(19, 0, (uint64_t)parts, 2, 0);',
    'a module’s fd_read': 'sys_wasm_exec(id, "read", 0, 0, &byte);',
  }
  for (const [name, call] of Object.entries(readers))
    it(`Control-C ends who finds it by ${name}`, async () => {
      const module = await build('m.wat', `(module
        (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32))) (memory (export "memory") 1)
        (data (i32.const 0) "\\10\\00\\00\\00\\01\\00\\00\\00")
        (func (export "read") (result i32) (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))))`)
      const tries = 8
      const bytes = await build('test.c', `${HELPERS}
        void _start(void) {
          for (int i = 0; i < ${tries}; i++) {
            int child = sys_fork(), status;
            if (child == 0) {
              int32_t byte; sys_setgroup(0, 0); sys_foreground(sys_getpid());
              int id = load("/m/read"); (void)id;
              for (;;) { ${call} }
            }
            sys_wait(child, &status, 0); number(status - ENDED_BY_SIGNAL);
          }
          sys_exit(0);
        }`)
      const files = new Map([['/m/read', module]])
      const interrupted = runProgram(bytes, { boot, files, untilNs: 4 * S, input: `${'x'.repeat(2000)}\n\x03`.repeat(tries + 5) })
      expect(interrupted.program.match(/2\b/g), interrupted.output).toHaveLength(tries)
      await expectAllBack(interrupted, { files })
    })

  it('mremap does not make a stack larger than a stack', async () => {
    const grown = await run(`
      uint64_t stack = (uint64_t)__builtin_frame_address(0) & ~0xfffull;
      number(linux_call(25, stack, 4096, 1ull << 40, 1)); number(linux_call(25, stack, 4096, 8192, 1));
      int child = sys_fork(); if (child == 0) sys_exit(4); int status; sys_wait(child, &status, 0); number(status);`)
    expect(printed(grown)).toBe('-12 -12 4')
    await expectAllBack(grown)
  })

  it('a directory tree deeper than the host’s stack can be renamed', async () => {
    const bytes = await build('test.c', `${HELPERS}
      void _start(void) {
        sys_sleep(50000000); number(sys_rename("/deep", "/moved")); number(sys_rename("/moved", "/moved/a/x")); sys_exit(0);
      }`)
    let output = ''
    const onConsole = (chunk: Uint8Array): void => {
      output += new TextDecoder().decode(chunk)
    }
    const session = new MachineSession({ boot, program: { path: '/bin/x', bytes, args: [] }, onConsole })
    session.advance(20_000_000)
    let directory = session.kernel.vfs.root
    for (let depth = 0; depth < 60_000; depth++) {
      const name = depth === 0 ? 'deep' : 'a'
      directory.createDirectory(name, 0o755, 0)
      directory = directory.lookup(name) as typeof directory
    }
    session.advance(200_000_000)
    expect(session.status().phase, session.kernel.panicReason).toBe('exited')
    expect(output).toContain('\n0 -22 ')
  })

  it('a working directory has no longer path than any other', async () => {
    const deep = await run(`
      static char name[101]; for (int i = 0; i < 100; i++) name[i] = 'n';
      int64_t error, depth = 0; while (sys_mkdir(name, 0755), (error = sys_chdir(name)) == 0) depth++;
      number(error); number(depth); static char path[5000]; number(sys_getcwd(path, sizeof path)); number(sys_rename(name, "/n"));`)
    expect(printed(deep)).toBe('-36 40 4040 0')
  })

  it('what cannot be truncated is not opened for it', async () => {
    const opened = await run(`
      number(sys_open("/proc/processes", O_WRONLY | O_TRUNC, 0)); number(sys_open("/dev/null", O_RDONLY, 0));`)
    expect(printed(opened)).toBe('-22 3')
  })

  it('a flood of calls that there are not is reported so far and no further', async () => {
    const flood = await run('for (int64_t n = 1000; n < 3000; n++) linux_call(n, 0, 0, 0, 0); number(linux_call(5000, 0, 0, 0, 0));')
    expect(flood.output.match(/which is not available/g)).toHaveLength(64)
    expect(printed(flood)).toBe('-38')
  })

  it('a module’s negative places and sizes are EINVAL', async () => {
    const wasi = 'wasi_snapshot_preview1'
    const module = await build('m.wat', `(module
      (import "${wasi}" "fd_readdir" (func $list (param i32 i32 i32 i64 i32) (result i32)))
      (import "${wasi}" "fd_filestat_set_size" (func $size (param i32 i64) (result i32))) (memory (export "memory") 1)
      (func (export "list") (param i32) (result i32) (call $list (local.get 0) (i32.const 64) (i32.const 64) (i64.const -1) (i32.const 0)))
      (func (export "size") (param i32) (result i32) (call $size (local.get 0) (i64.const -8192))))`)
    const negative = await run(`
      int id = load("/m/negative"); int32_t word = sys_open("/", O_RDONLY, 0), result;
      sys_wasm_exec(id, "list", &word, 1, &result); number(result);
      word = sys_open("/file", O_RDWR | O_CREAT, 0644); char text[] = "kept"; sys_write(word, text, 4);
      sys_wasm_exec(id, "size", &word, 1, &result); number(result); sys_seek(word, 0, SEEK_SET); number(sys_read(word, text, 4));`,
    { files: new Map([['/m/negative', module]]) })
    expect(printed(negative)).toBe('28 28 4')
  })

  it('a host without memory for a module says so, and the machine goes on', async () => {
    const module = await build('m.wat', '(module (memory 1 100) (func (export "grow") (result i32) (memory.grow (i32.const 10))))')
    const body = `
      int32_t result; int id = load("/m/grow"); number(id); number(sys_wasm_exec(id, "grow", 0, 0, &result)); number(result);`
    const files = new Map([['/m/grow', module]])
    const refuse = (): never => {
      throw new RangeError('could not allocate memory')
    }
    const grow = vi.spyOn(WebAssembly.Memory.prototype, 'grow').mockImplementation(refuse)
    const small = await run(body, { files })
    grow.mockRestore()
    expect(printed(small)).toBe('1 0 -1')
    expect(small.output).toContain('its memory may not grow: the host has none for 10 pages more')
    await expectAllBack(small, { files })
    // Only the kernel's modules: the processor is made of others.
    const { Instance } = WebAssembly
    vi.spyOn(WebAssembly, 'Instance').mockImplementation(function (code, imports) {
      return MODULE_HELPERS in (imports ?? {}) ? refuse() : new Instance(code, imports)
    })
    const none = await run(body, { files })
    vi.restoreAllMocks()
    expect(printed(none)).toBe('-12 -22 0')
    expect(none.output).toContain('not loaded: the host has no memory for it')
  })
})
