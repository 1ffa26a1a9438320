import { beforeAll, describe, expect, it } from 'vitest'
import { boot, build, toolchain } from './testing/programs.ts'
import { runProgram } from './testing/run-program.ts'
import type { Run, RunOptions } from './testing/run-program.ts'

/** The Linux door, through programs with musl that know nothing of Atoll. */

beforeAll(() => toolchain.prepareMusl())

const HEADERS = [
  'errno', 'fcntl', 'signal', 'stdio', 'stdlib', 'string', 'sys/mman', 'sys/stat', 'sys/syscall', 'sys/uio', 'termios', 'time', 'unistd',
]

async function run(source: string, options: Partial<RunOptions> = {}): Promise<Run> {
  const text = HEADERS.map((header) => `#include <${header}.h>\n`).join('') + source
  const bytes = await build('posix.c', text, { flags: ['-D_GNU_SOURCE'] })
  return runProgram(bytes, { boot, path: '/bin/posix', ...options })
}

const runMain = (body: string, options?: Partial<RunOptions>): Promise<Run> =>
  run(`int main(int argc, char **argv) { ${body} return 0; }`, options)

describe('programs with musl', () => {
  it('print, take arguments, return a status', async () => {
    const body = 'printf("%d %s %s %05d|%-5s|%lx\\n", argc, argv[0], argv[1], 42, "ab", 255L); return 3;'
    const { program, status } = await runMain(body, { args: ['x y'] })
    expect(program).toBe('2 /bin/posix x y 00042|ab   |ff')
    expect(status).toMatchObject({ phase: 'exited', exitStatus: 3 })
  })

  it('allocate: small and large, growing and shrinking', async () => {
    const { program } = await runMain(`
      char *big = malloc(1000000); memset(big, 7, 1000000);
      big = realloc(big, 3000000); big[2999999] = 9; printf("%d %d ", big[999999], big[2999999]);
      big = realloc(big, 500000); printf("%d ", big[499999]); free(big);
      static void *blocks[2000]; long sum = 0;
      for (int i = 0; i < 2000; i++) { blocks[i] = malloc(i + 1); memset(blocks[i], i, i + 1); }
      for (int i = 0; i < 2000; i++) { sum += *(unsigned char *)blocks[i]; free(blocks[i]); }
      char *volatile tooMuch = malloc(1L << 40);
      printf("%ld %d\\n", sum, tooMuch == NULL);`)
    expect(program).toBe(`7 9 7 ${Array.from({ length: 2000 }, (_, i) => i % 256).reduce((a, b) => a + b)} 1`)
  })

  it('use thread-local storage', async () => {
    const { program } = await run('static __thread int n = 41; int main(void) { n++; printf("%d\\n", n); return 0; }')
    expect(program).toBe('42')
  })

  it('read lines from the console to its end', async () => {
    const body = 'char line[64]; int n = 0; while (fgets(line, sizeof line, stdin)) n += strlen(line); printf("\\n%d\\n", n);'
    const { program } = await runMain(body, { input: 'one\ntwo\nthree' })
    expect(program).toBe('one\ntwo\nthree\n13')
  })

  it('read and write files', async () => {
    const { program } = await runMain(`
      FILE *f = fopen("/note.txt", "w+"); fprintf(f, "%s %d", "line", 42); fflush(f); rewind(f);
      char line[64]; printf("%s ", fgets(line, sizeof line, f));
      struct stat s; fstat(fileno(f), &s); printf("%ld %d ", (long)s.st_size, S_ISREG(s.st_mode)); fclose(f);
      printf("%d ", stat("/none", &s) == -1 && errno == ENOENT); printf("%d ", open("/bin/none/x", 0) == -1 && errno == ENOENT);
      printf("%d %d ", isatty(1), isatty(open("/note.txt", 0))); char cwd[9]; printf("%s\\n", getcwd(cwd, sizeof cwd));`)
    expect(program).toBe('line 42 7 1 1 1 1 0 /')
  })

  it('gather and scatter', async () => {
    const { program } = await runMain(`
      char a[3], b[10]; struct iovec out[] = {{"ab", 2}, {"", 0}, {"cdefg", 5}}, in[] = {{a, 3}, {b, 10}};
      int fd = open("/v", O_RDWR | O_CREAT, 0600); printf("%zd ", writev(fd, out, 3)); lseek(fd, 0, SEEK_SET);
      printf("%zd %.3s %.4s %d\\n", readv(fd, in, 2), a, b, writev(fd, (struct iovec *)8, 1) == -1 && errno == EFAULT);`)
    expect(program).toBe('7 7 abc defg 1')
  })

  it('map, protect, move and unmap memory', async () => {
    const { program } = await runMain(`
      char *p = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); p[4096] = 5;
      printf("%d ", mprotect(p, 4096, PROT_NONE));
      printf("%d ", mprotect(p, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) == -1 && errno == EACCES);
      char *q = mmap(p, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0); printf("%d %d ", q == p, q[0]);
      char *r = mremap(p, 8192, 65536, MREMAP_MAYMOVE); printf("%d %d ", r[4096], r[65535]);
      char *s = mremap(r, 65536, 8192, 0); printf("%d %d ", s == r, s[4096]);
      printf("%d\\n", munmap(s, 8192)); s[0] = 1;`)
    expect(program.split('\n')[0]).toBe('0 1 1 0 5 0 1 5 0')
    expect(program).toContain('page fault writing')
  })

  it('know the time and sleep', async () => {
    const { program } = await runMain(`
      struct timespec before, after, ten = {0, 10000000}; clock_gettime(CLOCK_MONOTONIC, &before); nanosleep(&ten, 0);
      clock_gettime(CLOCK_MONOTONIC, &after); long ns = (after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec;
      printf("%d\\n", ns >= 10000000 && ns < 12000000);`)
    expect(program).toBe('1')
  })

  it('end by a signal of their own', async () => {
    const { program, status } = await runMain('raise(SIGCHLD); abort();')
    expect(program).toBe('atoll: posix (pid 1) ended by SIGABRT, status 134')
    expect(status).toMatchObject({ exitStatus: 134, message: program })
  })

  it('set the console raw', async () => {
    const { program } = await runMain(`
      struct termios t; tcgetattr(0, &t); printf("%d ", (t.c_lflag & ICANON) != 0); cfmakeraw(&t); tcsetattr(0, TCSANOW, &t);
      char c; read(0, &c, 1); tcgetattr(0, &t); printf("%d %d\\n", c, (t.c_lflag & ICANON) != 0);`, { input: 'x' })
    expect(program).toBe('1 120 0')
  })

  it('get -ENOSYS for what is not there, and the log names it once', async () => {
    const body = 'for (int i = 0; i < 3; i++) printf("%d ", syscall(SYS_eventfd2, 0, 0) == -1 && errno == ENOSYS); syscall(9999); puts("");'
    const { program } = await runMain(body)
    expect(program.match(/\[ *\d+\.\d+\] linux: .*/g)?.map((line) => line.replace(/^\[.*?\] /, ''))).toEqual([
      'linux: posix (pid 1) called eventfd2 (290), which is not available',
      'linux: posix (pid 1) called system call 9999, which is not available',
    ])
    expect(program).toContain('1 1 1')
  })

  it('may use both doors', async () => {
    const { program } = await run(`#include <atoll.h>
      int main(void) { printf("%d ", sys_getpid()); fflush(stdout); sys_log("both", 4); return 0; }`)
    expect(program).toBe('1 [user] both')
  })

  it('survive random calls with random arguments', async () => {
    const source = `
      static unsigned long s = 12345;
      static unsigned long next(void) { s ^= s << 13; s ^= s >> 7; s ^= s << 17; return s; }
      static unsigned long value(void) {
        switch (next() % 4) {
          case 0: return next();
          case 1: return next() % 5000;
          case 2: return (unsigned long)&s + next() % 4096;
          default: return 1ul << next() % 64;
        }
      }
      int main(void) {
        for (int i = 0; i < 20000; i++) {
          long n = next() % 340; unsigned long keep = s;
          static const long spared[] = {
            SYS_exit, SYS_exit_group, SYS_read, SYS_readv, SYS_nanosleep, SYS_munmap, SYS_mremap, SYS_kill, SYS_tkill, SYS_tgkill,
            SYS_mprotect, SYS_mmap, SYS_brk, SYS_arch_prctl, SYS_fork, SYS_vfork, SYS_clone, SYS_pipe, SYS_pipe2};
          int isSpared = 0;
          for (int j = 0; j < 19; j++) isSpared |= n == spared[j];
          if (isSpared) continue;
          long result;
          register unsigned long d __asm__("r10") = value(), e __asm__("r8") = value(), f __asm__("r9") = value();
          __asm__ volatile("syscall"
            : "=a"(result) : "a"(n), "D"(value()), "S"(value()), "d"(value()), "r"(d), "r"(e), "r"(f) : "rcx", "r11", "memory");
          s = keep * 6364136223846793005ul + 1;
        }
        _exit(7);
      }`
    const runs = await Promise.all([1, 2].map(() => run(source, { untilNs: 20_000_000_000 })))
    expect(runs[0].session.kernel.panicReason).toBe('')
    expect(['exited', 'running']).toContain(runs[0].status.phase)
    expect(runs[1].status).toEqual(runs[0].status)
    expect(runs[1].output).toBe(runs[0].output)
  })
})
