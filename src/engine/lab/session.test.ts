import { basename } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readDebugInfo } from '../toolchain/debug-info.ts'
import { disassemble } from '../toolchain/disassembler.ts'
import type { Tier } from '../machine/cpu/cpu.ts'
import { ElfError } from '../kernel/process/elf.ts'
import { Random } from '../random/random.ts'
import { MachineSession } from './session.ts'
import { PRINT, boot, build } from './testing/programs.ts'
import { runProgram } from './testing/run-program.ts'
import type { Run, RunOptions } from './testing/run-program.ts'

/** Builds and runs a source of the project, or a text as if it were one. */
async function run(name: string, options: Partial<RunOptions> = {}, text?: string): Promise<Run> {
  const bytes = await build(name, text)
  const path = `/bin/${basename(name, '.c')}`
  return runProgram(bytes, { boot, path, symbolizer: readDebugInfo(bytes), disassembler: disassemble, ...options })
}

/** Runs the body of a `_start` that ends with exit status 0. */
const runBody = (body: string, options: Partial<RunOptions> = {}, before = ''): Promise<Run> =>
  run('test.c', options, `#include <atoll.h>\n${before}\nvoid _start(void) {\n${body}\nsys_exit(0);\n}\n`)

describe('first light', () => {
  it('hello.c: boot log, banner, greeting, exit', async () => {
    const { output, status } = await run('user/hello.c')
    // How large the compiler makes the file, and what follows from it, is not the matter here.
    const steady = output.replace(/\d+ (?=frames)|\d+ (?=bytes;)/g, 'N ').replace(/(?<=\[ +\d\.0)\d+/g, 'nnnnn')
    expect(steady).toMatchInlineSnapshot(`
      "[    0.0nnnnn] boot: Multiboot, long mode, kernel gate
      [    0.0nnnnn] serial: COM1 16550, 115200 8N1
      [    0.0nnnnn] memory: 65536 KiB of RAM, N frames of 4096 bytes free
      [    0.0nnnnn] paging: kernel at 0xffffffff80100000, no page both writable and executable, 3 stack guards
      [    0.0nnnnn] gdt: kernel and user segments, TSS with ring 0 and fault stacks
      [    0.0nnnnn] idt: 256 gates, int 0x80 open to ring 3
      [    0.0nnnnn] syscall: int 0x80 (Atoll) and SYSCALL (Linux)
      [    0.0nnnnn] pic: 8259 pair at vectors 0x20 to 0x2f
      [    0.0nnnnn] pit: timer at 1000 Hz, divisor 1193
      [    0.0nnnnn] ramfs: 1 file, N bytes; /dev: console null zero
      [    0.0nnnnn] scheduler: preemptive round robin
      [    0.0nnnnn] init: /bin/hello as process 1, entering ring 3

              .-~~~-.
            /  .-~-.  \\      Atoll 0.1.0
           |  (  o  )  |     a small decentralised operating system
            \\  \`-~-'  /      x86-64, ring 3 ahead
              \`-~~~-'

      [user] Hello from ring-3!
      [    0.0nnnnn] init: hello exited with status 0
      "
    `)
    expect(status).toMatchObject({ phase: 'exited', exitStatus: 0 })
  })

  it.each<Tier>(['interpreter', 'auto', 'translator'])('does the same in every tier, run by run: %s', async (tier) => {
    const reference = await run('user/primes.c', { tier: 'interpreter' })
    const { output, status } = await run('user/primes.c', { tier })
    expect(output).toBe(reference.output)
    expect(status).toEqual(reference.status)
    expect(output).toContain('78498 primes')
  })

  it('does not depend on how the host cuts the time', async () => {
    const bytes = await build('user/echo.c')
    const results = [997, 50_000, 10_000_000].map((step) => {
      let output = ''
      const session = new MachineSession({
        boot,
        program: { path: '/bin/echo', bytes, args: [] },
        onConsole: (chunk) => { output += new TextDecoder().decode(chunk) },
      })
      session.type(new TextEncoder().encode('one\ntwo\n'))
      session.endInput()
      while (session.status().phase !== 'exited') session.advance(session.status().virtualNs + step)
      return { output, status: session.status() }
    })
    expect(results[1]).toEqual(results[0])
    expect(results[2]).toEqual(results[0])
  })

  it('refuses a bad program before anything boots', () => {
    const make = (bytes: Uint8Array) => () => new MachineSession({ boot, program: { path: '/x', bytes, args: [] } })
    expect(make(new Uint8Array(0))).toThrow('this file is empty (0 bytes): it is no program')
    expect(make(new TextEncoder().encode('hello'))).toThrow('not an ELF program')
  })

  it('refuses more files than fit', async () => {
    const bytes = await build('user/hello.c')
    const files = new Map([['/big', new Uint8Array(3 << 20)]])
    const make = (): MachineSession => new MachineSession({ boot, program: { path: '/x', bytes, args: [] }, files, ramBytes: 4 << 20 })
    expect(make).toThrow(/files of 3\.\d MiB do not fit into a machine with 4\.0 MiB of memory/)
  })

  it('loads whatever passes its checks without harm', async () => {
    const original = await build('user/hello.c')
    const random = new Random(11)
    const phases = new Map<string, number>()
    for (let round = 0; round < 60; round++) {
      const bytes = original.slice()
      // Entry, program header fields, and now and then the code itself.
      for (let change = random.next() % 3; change >= 0; change--) bytes[random.next() % (change === 0 ? 500 : bytes.length)] = random.next()
      let phase = 'refused'
      try {
        phase = runProgram(bytes, { boot, untilNs: 30_000_000 }).status.phase
      } catch (error) {
        expect(error).toBeInstanceOf(ElfError)
      }
      phases.set(phase, (phases.get(phase) ?? 0) + 1)
    }
    expect([...phases.keys()].filter((phase) => !['refused', 'exited', 'running'].includes(phase))).toEqual([])
    expect(phases.size).toBeGreaterThan(1)
  })

  it('knows when it is booting, running and over', async () => {
    const bytes = await build('user/echo.c')
    const session = new MachineSession({ boot, program: { path: '/bin/echo', bytes, args: [] } })
    expect(session.status()).toMatchObject({ phase: 'booting', virtualNs: 0, instructions: 0 })
    session.advance(10_000_000)
    expect(session.status().phase).toBe('running')
    session.endInput()
    session.advance(20_000_000)
    expect(session.status()).toMatchObject({ phase: 'exited', exitStatus: 0 })
    const before = session.status()
    session.advance(30_000_000)
    expect(session.status()).toEqual(before)
  })

  it('gives arguments and environment as C expects them', async () => {
    const { program: output } = await run('args.c', { args: ['a b', '', 'ñ"\\'] }, `#include <atoll.h>
      ${PRINT}
      void _start(int argc, char **argv, char **envp) {
        number(argc);
        for (int i = 0; i < argc; i++) { print("<"); print(argv[i]); print(">"); }
        print(envp[0]);
        sys_exit(argv[argc] == 0 ? 7 : 8);
      }`)
    expect(output).toBe('4 </bin/args><a b><><ñ"\\>HOME=/')
  })
})

describe('console', () => {
  it('echo.c talks', async () => {
    const { program: output, status } = await run('user/echo.c', { input: 'hola\nsecx\x7fond\n' })
    expect(output).toBe('Type something; Ctrl-D ends.\n> hola\nsecx\b \bhola\n> ond\nsecond\n> Bye.')
    expect(status.exitStatus).toBe(0)
  })

  it('ends a program at Control-C', async () => {
    const { output, status } = await run('user/echo.c', { input: 'abc\x03', keepInput: true })
    expect(output).toContain('abc^C\n')
    expect(status).toMatchObject({ phase: 'exited', exitStatus: 130 })
  })

  it('takes more than anybody reads at once, and loses nothing', async () => {
    const { program: output } = await runBody(`
      static char buffer[100]; int64_t total = 0, lines = 0, got;
      sys_sleep(2000000000);
      while ((got = sys_read(0, buffer, sizeof buffer)) > 0) {
        total += got;
        for (int64_t i = 0; i < got; i++) lines += buffer[i] == '\\n';
      }
      sys_write(1, "", 0); number(total); number(lines);`, { input: `${'z'.repeat(99)}\n`.repeat(900), untilNs: 20_000_000_000 }, PRINT)
    expect(output.endsWith('90000 900')).toBe(true)
  })

  it('raw mode', async () => {
    const { program: output } = await runBody(`
      char c; number(sys_ttymode(0, TTY_RAW));
      for (int i = 0; i < 3; i++) { sys_read(0, &c, 1); number(c); }
      number(sys_ttymode(0, TTY_CANONICAL)); number(sys_ttymode(0, 9)); number(sys_ttymode(9, 0));`, { input: 'a\r\x03' }, PRINT)
    expect(output).toBe('0 97 13 3 1 -22 -9')
  })

  it('writes of any size arrive whole', async () => {
    const { output } = await runBody(`
      static char text[100000];
      for (int i = 0; i < 100000; i++) text[i] = i % 50 == 49 ? '\\n' : 'a' + i % 26;
      number(sys_write(1, text, sizeof text));`, {}, PRINT)
    const expected = Array.from({ length: 100_000 }, (_, i) => (i % 50 === 49 ? '\n' : String.fromCharCode(97 + (i % 26)))).join('')
    expect(output).toContain(`${expected}100000 `)
  })
})

describe('faults', () => {
  it('fault.c dies with a message and the machine lives on to say so', async () => {
    const { program: output, status } = await run('user/fault.c')
    const lines = output.split('\n')
    expect(lines[0]).toBe('[user] About to write to address 0.')
    expect(lines[1]).toMatch(/^atoll: fault \(pid 1\): page fault writing 0x0 at 0x\w+ \w+\+0x\w+ \(fault\.c:8\) {2}mov dword ptr/)
    expect(lines.at(-1)).toBe('atoll: fault (pid 1) ended by SIGSEGV, status 139')
    expect(status).toMatchObject({ phase: 'exited', exitStatus: 139, message: lines[1] })
  })

  it.each([
    ['a division by zero', '__asm__ volatile("xor %ecx, %ecx; div %ecx");', 'divide error', 136],
    ['an undefined instruction', '__asm__ volatile("ud2");', 'invalid opcode', 132],
    ['a privileged instruction', '__asm__ volatile("cli");', 'general protection fault', 139],
    ['the kernel gate', '__asm__ volatile("vmcall");', 'invalid opcode', 132],
    ['a port', '__asm__ volatile("outb %al, $0xf4");', 'general protection fault', 139],
    ['an interrupt that is not ours to make', '__asm__ volatile("int $0x20");', 'general protection fault', 139],
    ['a breakpoint', '__asm__ volatile("int3");', 'breakpoint', 133],
    ['a non-canonical address', '*(volatile long *)0x8000000000000000 = 1;', 'general protection fault', 139],
    ['the kernel’s memory', '*(volatile long *)0xffffffff80100000 = 1;', 'page fault writing 0xffffffff80100000 (not permitted)', 139],
    ['its own code', '*(volatile char *)_start = 1;', 'page fault writing 0x', 139],
    ['data as code', 'static char code[] = {0xc3}; ((void (*)(void))code)();', 'page fault executing 0x', 139],
    ['the stack as code', 'volatile char code[] = {0xc3}; ((void (*)(void))code)();', 'page fault executing 0x7ff', 139],
    ['an address of its own above 4 GiB', '*(volatile long *)0x123456789000 = 1;', 'page fault writing 0x123456789000', 139],
  ])('%s', async (_what, statement, message, exitStatus) => {
    const { output, status } = await runBody(statement, {}, 'void _start(void);')
    expect(output).toContain(`atoll: fault (pid 1): ${message}`)
    expect(status).toMatchObject({ phase: 'exited', exitStatus })
  })

  it('a stack that grows too far is called so, one that grows far enough works', async () => {
    const recursion = `
      static int depth(volatile int *left) {
        volatile char frame[4096];
        for (int i = 0; i < 4096; i += 64) frame[i] = 1;
        if (*left == 0) return frame[0];
        (*left)--;
        return depth(left) + frame[*left % 64 * 64];
      }`
    const deep = await runBody('volatile int left = 1500; number(depth(&left));', {}, PRINT + recursion)
    expect(deep.program).toBe('1501')
    const endless = await runBody('volatile int left = 100000; number(depth(&left));', {}, PRINT + recursion)
    expect(endless.output).toContain('(stack overflow)')
    expect(endless.status.exitStatus).toBe(139)
  })
})

describe('memory', () => {
  it('SYS_MMAP gives fresh zeroed pages, SYS_MUNMAP takes them back', async () => {
    const { program: output, status } = await runBody(`
      char *p = sys_mmap(0, 10000, PROT_READ | PROT_WRITE);
      int64_t sum = 0; for (int i = 0; i < 12288; i++) sum += p[i];
      number(sum); p[0] = 5; p[12287] = 6; number(p[0] + p[12287]);
      char *fixed = sys_mmap((void *)0x10000000, 4096, PROT_READ);
      number(fixed == (char *)0x10000000); number(fixed[4095]);
      number(sys_munmap(p, 10000)); number((int64_t)sys_mmap(0, 4096, PROT_WRITE | PROT_EXEC));
      number((int64_t)sys_mmap(0, 0, PROT_READ)); number((int64_t)sys_mmap((void *)4096, 4096, PROT_READ));
      number((int64_t)sys_mmap((void *)0x10000001, 4096, PROT_READ)); number((int64_t)sys_mmap((void *)0x10000000, 4096, PROT_READ));
      number((int64_t)sys_mmap((void *)0x7fffffffe000, 4096, PROT_READ)); number((int64_t)sys_mmap(0, 1ull << 40, PROT_READ));
      number((int64_t)sys_mmap(0, 4096, 99)); number(sys_munmap((void *)1, 4096));
      *(volatile char *)p = 1;`, {}, PRINT)
    expect(output.split('atoll:')[0].trim()).toBe('0 11 1 0 0 -13 -22 -22 -22 -22 -22 -12 -22 -22')
    expect(status.exitStatus).toBe(139)
  })

  it('running out of it is ENOMEM, and everything comes back at the end', async () => {
    const { program: output, session } = await runBody(`
      int64_t pages = 0; char *p;
      while (!ATOLL_FAILED(p = sys_mmap(0, 65536, PROT_READ | PROT_WRITE))) for (int i = 0; i < 16; i++, pages++) p[i * 4096] = 1;
      number((int64_t)p); number(pages > 3000 && pages < 4096);`, { ramBytes: 16 << 20 }, PRINT)
    expect(output).toBe('-12 1')
    const { frames } = session.kernel
    const small = (await run('user/hello.c', { ramBytes: 16 << 20 })).session.kernel.frames
    const images = [frames, small].map(({ total, free }) => total - free)
    expect(images[0] - images[1]).toBeLessThan(8)
  })

  it('a program that asks for more than is free does not start, and says so', async () => {
    const source = '#include <atoll.h>\nstatic volatile char big[63 << 20];\nvoid _start(void) { sys_exit(big[0]); }'
    const { output, status } = await run('big.c', {}, source)
    expect(output).toMatch(/init: cannot start \/bin\/big: ENOMEM: out of memory\n$/)
    expect(status).toMatchObject({ phase: 'exited', exitStatus: 126, message: 'cannot start /bin/big: ENOMEM: out of memory' })
  })

  it('a machine of 4 MiB boots', async () => {
    expect((await run('user/hello.c', { ramBytes: 4 << 20 })).status.exitStatus).toBe(0)
  })
})

describe('files', () => {
  it('files.c', async () => {
    const { status, program: output } = await run('user/files.c')
    expect(output).toContain('a file that is not there: ENOENT')
    expect(status.exitStatus).toBe(0)
  })

  it('reads what the host put there', async () => {
    const files = new Map([['/lessons/one.txt', new TextEncoder().encode('first lesson')]])
    const { program: output } = await runBody(`
      char text[100]; int fd = sys_open("/lessons/../lessons//one.txt", O_RDONLY, 0);
      int64_t got = sys_read(fd, text, sizeof text); sys_write(1, text, got); print(" "); number(sys_read(fd, text, 1));
      struct atoll_stat s; number(sys_stat("/lessons/one.txt", &s)); number(s.size); number(s.mode);
      number(sys_stat("/lessons", &s)); number(s.mode);
      number(sys_stat("/dev/null", &s)); number(s.mode); number(sys_stat("/bin/test", &s)); number(s.mode & 0777);`, { files }, PRINT)
    expect(output).toBe(`first lesson 0 0 12 ${0o100644} 0 ${0o040755} 0 ${0o020666} 0 ${0o755}`)
  })

  it('flags, positions and errors', async () => {
    const { program: output } = await runBody(`
      char b[16]; int fd = sys_open("/tmp.txt", O_RDWR | O_CREAT | O_EXCL, 0600); number(fd);
      number(sys_write(fd, "abcdef", 6)); number(sys_seek(fd, 2, SEEK_SET)); number(sys_write(fd, "XY", 2));
      number(sys_seek(fd, -1, SEEK_END));
      number(sys_read(fd, b, 16)); number(b[0]); number(sys_seek(fd, 0, SEEK_SET)); number(sys_read(fd, b, 16));
      sys_write(1, b, 6); print(" ");
      number(sys_seek(fd, 100000, SEEK_SET)); number(sys_write(fd, "!", 1)); number(sys_seek(fd, 50000, SEEK_SET));
      number(sys_read(fd, b, 1)); number(b[0]);
      int again = sys_open("/tmp.txt", O_WRONLY | O_APPEND, 0); number(again); number(sys_write(again, "end", 3));
      number(sys_seek(again, 0, SEEK_CUR));
      number(sys_read(again, b, 1)); number(sys_open("/tmp.txt", O_CREAT | O_EXCL, 0)); number(sys_open("/", O_RDWR, 0));
      number(sys_open("/none", 0, 0));
      number(sys_open("/tmp.txt/x", 0, 0)); number(sys_open("/tmp.txt", O_DIRECTORY, 0)); number(sys_open("/tmp.txt", 3, 0));
      int d = sys_open("/", O_RDONLY, 0); number(sys_read(d, b, 1)); number(sys_close(d)); number(sys_close(d)); number(sys_close(-1));
      number(sys_open((char *)8, 0, 0)); number(sys_read(fd, (void *)8, 4)); number(sys_write(1, (void *)8, 4)); number(sys_seek(0, 0, 0));
      number(sys_seek(fd, -1, SEEK_SET)); number(sys_seek(fd, INT64_MAX, SEEK_END)); number(sys_seek(fd, 0, 7));
      number(sys_write(9, b, 1)); number(sys_write(0, "", 0));
      int t = sys_open("/tmp.txt", O_WRONLY | O_TRUNC, 0); struct atoll_stat s; sys_stat("/tmp.txt", &s); number(t);
      number(s.size);`, {}, PRINT)
    expect(output).toBe(
      '3 6 2 2 5 1 102 0 6 abXYef 100000 1 50000 1 0 4 3 100004 -9 -17 -21 -2 -20 -20 -22 -21 0 -9 -9 -14 -14 -14 -29 -22 -75 -22 -9 0 5 0',
    )
  })

  it('fill up: ENOSPC, EMFILE, ENAMETOOLONG, EFBIG', async () => {
    const { program: output } = await runBody(`
      static char block[65536]; int fd = sys_open("/big", O_WRONLY | O_CREAT, 0644); int64_t got, total = 0;
      while ((got = sys_write(fd, block, sizeof block)) > 0) total += got;
      number(got); number(total > 1000000); number(sys_seek(fd, 1 << 30, SEEK_SET)); number(sys_write(fd, "x", 1));
      static char name[300]; name[0] = '/'; for (int i = 1; i < 290; i++) name[i] = 'n'; number(sys_open(name, O_CREAT | O_WRONLY, 0));
      int last = 0;
      while ((got = sys_open("/dev/null", O_RDWR, 0)) >= 0) last = got;
      number(last); number(got);`, { ramBytes: 8 << 20 }, PRINT)
    expect(output).toBe('-28 1 1073741824 -27 -36 255 -24')
  })

  it('/dev/null and /dev/zero', async () => {
    const { program: output } = await runBody(`
      char b[8] = "xxxxxxx"; int null = sys_open("/dev/null", O_RDWR, 0), zero = sys_open("/dev/zero", O_RDWR | O_TRUNC, 0);
      number(sys_read(null, b, 8)); number(sys_write(null, b, 8)); number(sys_read(zero, b, 4)); number(b[3] + b[4]);`, {}, PRINT)
    expect(output).toBe('0 8 4 120')
  })
})

describe('system calls', () => {
  it('preserve every register but RAX', async () => {
    const { program: output } = await runBody(`
      uint64_t sum;
      __asm__ volatile(
        "mov $24, %%eax; mov $1, %%rbx; mov $2, %%rcx; mov $3, %%rdx; mov $4, %%rsi; mov $5, %%rdi; mov $6, %%r8; mov $7, %%r9;"
        "mov $8, %%r10; mov $9, %%r11; mov $10, %%r12; mov $11, %%r13; mov $12, %%r14; mov $13, %%r15; int $0x80;"
        "add %%rbx, %%rcx; add %%rcx, %%rdx; add %%rdx, %%rsi; add %%rsi, %%rdi; add %%rdi, %%r8; add %%r8, %%r9; add %%r9, %%r10;"
        "add %%r10, %%r11; add %%r11, %%r12; add %%r12, %%r13; add %%r13, %%r14; add %%r14, %%r15; mov %%r15, %0"
        : "=a"(sum) : : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory");
      number(sum);`, {}, PRINT)
    expect(output).toBe('91')
  })

  it('time, sleep, yield, pid, log and what is not there', async () => {
    const { program: output, status } = await runBody(`
      int64_t before = sys_clock(); number(sys_sleep(250000000)); int64_t slept = sys_clock() - before;
      number(slept >= 250000000 && slept < 252000000); number(sys_sleep(-1)); number(sys_yield()); number(sys_getpid());
      number(sys_log("", 0)); number(sys_log((char *)1, 1)); number(sys_log("x", 5000));
      number(sys_exec("/x", 0, 0)); number(sys_wait(-1, 0, 0));
      number(atoll_syscall(0, 0, 0, 0, 0, 0, 0)); number(atoll_syscall(-1, 0, 0, 0, 0, 0, 0));
      number(atoll_syscall(1ull << 40 | 24, 0, 0, 0, 0, 0, 0));
      sys_exit(0x1234);`, {}, PRINT)
    expect(output).toBe('0 1 -22 0 1 [user] \n0 -14 -22 -2 -10 -38 -38 -38')
    expect(status.exitStatus).toBe(0x34)
  })

  it('an endless loop is stopped by whoever advances the machine', async () => {
    const { status } = await run('user/spin.c', { untilNs: 50_000_000 })
    expect(status.phase).toBe('running')
    expect(status.virtualNs).toBeGreaterThanOrEqual(50_000_000)
  })

  it('survive random numbers and arguments, every time in the same way', async () => {
    const fuzz = `
      static uint64_t state = 88172645463325252ull;
      static uint64_t next(void) { state ^= state << 13; state ^= state >> 7; state ^= state << 17; return state; }
      static uint64_t value(void) {
        static const uint64_t interesting[] = {
          0, 1, 2, 3, 4095, 4096, 65536, 0x7fffffff, 0xffffffff, 1ull << 47, (1ull << 47) - 4096, 1ull << 63, -1ull, -4096ull,
          0xffffffff80100000};
        switch (next() % 5) {
          case 0: return next();
          case 1: return (uint64_t)&state + (int64_t)(next() % 8192) - 4096;
          case 2: return next() % 300;
          case 3: return (uint64_t)__builtin_frame_address(0) + next() % 4096;
          default: return interesting[next() % 15];
        }
      }`
    const body = `
      uint64_t hash = 0;
      for (int i = 0; i < 20000; i++) {
        uint64_t number = next() % 66, saved = state;
        static const int spared[] = {
          SYS_EXIT, SYS_SLEEP, SYS_MUNMAP, SYS_READ, SYS_FORK, SYS_KILL, SYS_PIPE, SYS_QUEUE, SYS_DUP, SYS_RECV, SYS_RECVFROM};
        int isSpared = 0; for (int j = 0; j < 11; j++) isSpared |= number == spared[j];
        if (isSpared) continue;
        uint64_t result = atoll_syscall(number, value(), value(), value(), value(), value(), value());
        state = saved * 6364136223846793005ull + 1442695040888963407ull; hash = hash * 31 + result;
      }
      sys_close(1); sys_open("/dev/console", O_RDWR, 0); number(hash & 0xffffffff);`
    const runs = await Promise.all([1, 2].map(() => runBody(body, { untilNs: 60_000_000_000 }, PRINT + fuzz)))
    for (const { status } of runs) expect(['exited', 'running']).toContain(status.phase)
    expect(runs[0].session.kernel.panicReason).toBe('')
    expect(runs[1].output).toBe(runs[0].output)
    expect(runs[1].status).toEqual(runs[0].status)
  })
})

describe('processes', () => {
  it('share the processor by turns and keep their registers to themselves', async () => {
    const bytes = await build('turns.c', `#include <atoll.h>
      ${PRINT}
      static void work(void) {
        int pid = sys_getpid();
        double sum = 0; uint64_t hash = pid; int64_t start = sys_clock();
        for (int i = 0; i < 3000000; i++) { sum += i * 0.5 * pid; hash = hash * 6364136223846793005u + i; }
        number(pid); number((int64_t)(sum / pid)); number(hash >> 40); number((sys_clock() - start) / 10000000 > 4); print("\\n");
      }
      void _start(int argc) {
        if (argc == 1) for (int child = 0; child < 2; child++) if (sys_fork() == 0) { work(); sys_exit(0); }
        work();
        while (sys_wait(-1, 0, 0) > 0) {}
        sys_exit(0);
      }`)
    const alone = runProgram(bytes, { boot, args: ['alone'] }).program
    const outputs = (['interpreter', 'auto'] as const).map((tier) => {
      const { program: output, session } = runProgram(bytes, { boot, tier })
      expect(session.status()).toMatchObject({ phase: 'exited', exitStatus: 0 })
      return output
    })
    const lines = outputs[0].split('\n').filter((line) => /^\d /.test(line))
    expect(lines.map((line) => line.split(' ')[0]).sort()).toEqual(['1', '2', '3'])
    expect(lines.find((line) => line.startsWith('1 '))?.split(' ').slice(0, 3)).toEqual(alone.split(' ').slice(0, 3))
    expect(new Set(lines.map((line) => line.split(' ')[1])).size).toBe(1)
    expect(lines.every((line) => line.trimEnd().endsWith(' 1'))).toBe(true)
    expect(outputs[1]).toBe(outputs[0])
  })
})

describe('when the kernel fails', () => {
  it('a fault in ring 0 ends in the panic screen', async () => {
    const bytes = await build('user/echo.c')
    let output = ''
    const session = new MachineSession({
      boot,
      program: { path: '/bin/echo', bytes, args: [] },
      disassembler: disassemble,
      onConsole: (chunk) => { output += new TextDecoder().decode(chunk) },
    })
    session.advance(5_000_000)
    // The idle loop's code, which waits for input now, is overwritten with UD2.
    const idle = session.machine.cpu.rip - 0xffffffff80000000n - 2n
    session.machine.memory.write(Number(idle), Uint8Array.of(0x0f, 0x0b, 0x0f, 0x0b, 0x0f, 0x0b))
    session.advance(50_000_000)
    const message = 'kernel panic: invalid opcode in the kernel (error code 0x0)'
    expect(session.status()).toMatchObject({ phase: 'panicked', exitStatus: 70, message })
    expect(output).toMatch(/KERNEL PANIC: invalid opcode in the kernel/)
    expect(output).toMatch(/rip ffffffff801\w{5} idle\+0x\w+\ninstruction: ud2/)
  })

  it('an exception in the kernel’s own code is a panic, not an exception of the host', async () => {
    const bytes = await build('user/hello.c')
    let output = ''
    const session = new MachineSession({
      boot,
      program: { path: '/bin/x', bytes, args: [] },
      onConsole: (chunk) => { output += new TextDecoder().decode(chunk) },
    })
    session.kernel.scheduler.next = () => {
      throw new TypeError('no such process')
    }
    session.advance(50_000_000)
    expect(session.status()).toMatchObject({ phase: 'panicked', exitStatus: 70 })
    expect(output).toContain('KERNEL PANIC: TypeError: no such process')
    expect(output).toContain('thrown by the kernel:')
  })

  it('even a panic screen that fails ends in a panic', async () => {
    const session = new MachineSession({
      boot,
      program: { path: '/bin/hello', bytes: await build('user/hello.c'), args: [] },
    })
    session.kernel.console.writeLine = () => { throw new Error('no console') }
    session.advance(1_000_000)
    const message = 'kernel panic: Error: no console; the panic screen failed as well: Error: no console'
    expect(session.status()).toMatchObject({ phase: 'panicked', exitStatus: 70, message })
  })

  it('a machine without its interrupt table shuts down', async () => {
    const bytes = await build('user/spin.c')
    const session = new MachineSession({ boot, program: { path: '/bin/spin', bytes, args: [] } })
    session.advance(1_000_000)
    session.machine.memory.fill(0x103000, 0x2000, 0)
    session.advance(50_000_000)
    expect(session.status()).toMatchObject({ phase: 'shutdown' })
    expect(session.status().message).toContain('triple fault')
  })
})
