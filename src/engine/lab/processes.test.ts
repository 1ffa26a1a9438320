import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { PRINT, boot, build, buildBody, toolchain } from './testing/programs.ts'
import { runProgram } from './testing/run-program.ts'
import type { Run, RunOptions } from './testing/run-program.ts'

beforeAll(() => toolchain.prepareMusl(() => {}), 300_000)

const HELPERS = `#include <atoll.h>${PRINT}`

/** Runs the body of a `_start` on the Atoll door. */
async function runBody(body: string, options: Partial<RunOptions> = {}): Promise<Run> {
  return runProgram(await buildBody(HELPERS, body), { boot, ...options })
}

describe('fork and wait', () => {
  it('give the child 0, the parent a process id, and tell exit from signal', async () => {
    const { program } = await runBody(`
      int child = sys_fork();
      if (child == 0) { number(sys_getppid()); sys_exit(7); }
      int status; number(sys_wait(child, &status, 0) == child); number(status);
      child = sys_fork();
      if (child == 0) *(volatile int *)0 = 1;
      sys_wait(-1, &status, 0); number(status - ENDED_BY_SIGNAL == SIGSEGV);
      child = sys_fork();
      if (child == 0) for (;;) sys_yield();
      number(sys_wait(-1, &status, WAIT_POLL)); number(sys_kill(child, SIGTERM)); sys_wait(child, &status, 0);
      number(status - ENDED_BY_SIGNAL);
      number(sys_wait(-1, 0, 0)); number(sys_kill(child, 0));`)
    expect(program.replace(/\n?atoll: .*\n/g, '')).toBe('1 1 7 1 0 0 15 -10 -3')
  })

  it('share pages until one of the two writes (copy-on-write)', async () => {
    const { program, session } = await runBody(`
      char *pages = sys_mmap(0, 512 * 4096, PROT_READ | PROT_WRITE);
      for (int i = 0; i < 512; i++) pages[i * 4096] = i;
      int child = sys_fork();
      if (child == 0) {
        int same = 1;
        for (int i = 0; i < 512; i++) same &= pages[i * 4096] == (char)i;
        pages[4096] = 99; pages[8192] = 98; number(same); number(pages[4096]); sys_exit(0);
      }
      sys_wait(child, 0, 0); number(pages[4096]); number(pages[8192]); pages[4096] = 5; number(pages[4096]);`)
    expect(program).toBe('1 99 1 2 5')
    expect(session.kernel.phase).toBe('exited')
  })

  it('copy no page that is only read', async () => {
    const touched = async (writes: number): Promise<number> => {
      const { session } = await runBody(`
        char *pages = sys_mmap(0, 1024 * 4096, PROT_READ | PROT_WRITE);
        for (int i = 0; i < 1024; i++) pages[i * 4096] = i;
        if (sys_fork() == 0) {
          for (int i = 0; i < ${writes}; i++) pages[i * 4096] = 1;
          for (;;) sys_sleep(1000000000);
        }
        for (;;) sys_sleep(1000000000);`, { untilNs: 100_000_000 })
      return session.kernel.frames.total - session.kernel.frames.free
    }
    const [none, hundred] = [await touched(0), await touched(100)]
    expect(hundred - none).toBe(100)
  })

  it('give every frame, slot and descriptor back', async () => {
    const { session, program } = await runBody(`
      int before = -1;
      for (int round = 0; round < 60; round++) {
        int pipes[2]; sys_pipe(pipes);
        int child = sys_fork();
        if (child == 0) { char *p = sys_mmap(0, 65536, PROT_READ | PROT_WRITE); p[0] = 1; sys_write(pipes[1], "x", 1); sys_exit(round); }
        char c; sys_close(pipes[1]); sys_read(pipes[0], &c, 1); sys_close(pipes[0]);
        int status; sys_wait(child, &status, 0); if (status != round) print("lost ");
        if (round == 20) sys_yield();
      }
      print("done"); for (;;) sys_sleep(1000000000);`, { untilNs: 300_000_000 })
    expect(program).toBe('done')
    const { kernel } = session
    expect(kernel.scheduler.processes.size).toBe(1)
    expect(kernel.openFiles.count).toBe(1)
    const reference = await runBody('print("done"); for (;;) sys_sleep(1000000000);', { untilNs: 300_000_000 })
    const used = ({ session: { kernel: { frames } } }: Pick<Run, 'session'>): number => frames.total - frames.free
    // The programs differ by a page of code or so, never by what sixty children used.
    expect(Math.abs(used({ session }) - used(reference))).toBeLessThan(4)
  })

  it('meet a limit when a program forks for ever, and the machine lives', async () => {
    const { program, status } = await runBody(
      `
      int made = 0, error = 0;
      for (;;) { int child = sys_fork(); if (child == 0) { for (;;) sys_sleep(1000000000); } if (child < 0) { error = child; break;
      } made++; }
      number(made > 100); number(error); sys_exit(3);`,
      { untilNs: 5_000_000_000 },
    )
    expect(program).toMatch(/^1 -1[12]$/)
    expect(status).toMatchObject({ phase: 'exited', exitStatus: 3 })
  })

  it('let two programs that never yield both advance', async () => {
    const { program } = await runBody(`
      volatile int64_t *shared = 0; (void)shared;
      int pipes[2]; sys_pipe(pipes);
      for (int child = 0; child < 2; child++) if (sys_fork() == 0) {
        int64_t end = sys_clock() + 100000000, turns = 0; while (sys_clock() < end) turns++;
        sys_write(pipes[1], &turns, 8); sys_exit(0);
      }
      int64_t a, b; sys_read(pipes[0], &a, 8); sys_read(pipes[0], &b, 8);
      number(a > 1000 && b > 1000 && a < 2 * b && b < 2 * a);`)
    expect(program).toBe('1')
  })
})

describe('pipes, queues, files', () => {
  it('stream more than a pipe holds, and end with the last writer', async () => {
    const { program } = await runBody(`
      static char block[30000]; int pipes[2]; sys_pipe(pipes);
      if (sys_fork() == 0) { sys_close(pipes[0]); for (int i = 0; i < 10; i++) sys_write(pipes[1], block, sizeof block); sys_exit(0); }
      sys_close(pipes[1]); int64_t total = 0, got; static char in[7000];
      while ((got = sys_read(pipes[0], in, sizeof in)) > 0) total += got;
      number(total); number(got);`)
    expect(program).toBe('300000 0')
  })

  it('end who writes where nobody reads, unless it ignores SIGPIPE', async () => {
    const { program } = await runBody(`
      int pipes[2]; sys_pipe(pipes); sys_close(pipes[0]);
      if (sys_fork() == 0) { sys_write(pipes[1], "x", 1); print("alive"); sys_exit(0); }
      int status; sys_wait(-1, &status, 0); number(status - ENDED_BY_SIGNAL);
      sys_ignore(SIGPIPE, 1); number(sys_write(pipes[1], "x", 1));`)
    expect(program).toBe('13 -32')
  })

  it('pass whole messages in order between producer and consumer', async () => {
    const { program } = await runBody(`
      int queue = sys_queue(77);
      if (sys_fork() == 0) { for (int i = 0; i < 50; i++) sys_write(queue, &i, i % 4 + 1); sys_exit(0); }
      int64_t sum = 0, bytes = 0; for (int i = 0; i < 50; i++) { int v = 0; bytes += sys_read(queue, &v, 4); sum += v; }
      number(sum); number(bytes); char big[5000]; number(sys_write(queue, big, 5000));`)
    expect(program).toBe('1225 123 -90')
  })

  it('make, name, list and remove files and directories', async () => {
    const { program } = await runBody(`
      number(sys_mkdir("/d", 0755)); number(sys_mkdir("/d", 0755)); number(sys_chdir("/d"));
      int fd = sys_open("a", O_RDWR | O_CREAT, 0644); sys_write(fd, "hello", 5); number(sys_rename("a", "b")); number(sys_unlink("a"));
      number(sys_unlink("b")); char text[8]; sys_seek(fd, 0, SEEK_SET); number(sys_read(fd, text, 8)); sys_close(fd);
      sys_close(sys_open("x", O_WRONLY | O_CREAT, 0644)); number(sys_rmdir("/d"));
      int dir = sys_open(".", O_RDONLY, 0); int n; while ((n = sys_readdir(dir, text, 8)) > 0) sys_write(1, text, n); print(" ");
      sys_unlink("x"); sys_getcwd(text, 8); print(text); print(" "); sys_chdir(".."); number(sys_rmdir("d"));`)
    expect(program).toBe('0 -17 0 0 -2 0 5 -39 x /d 0')
  })

  it('run another program in place of this one', async () => {
    const bytes = await build('test.c', `${HELPERS}\nvoid _start(int argc, char **argv) {
      if (argc > 1) { number(argc); print(argv[1]); print(argv[2]); sys_exit(9); }
      number(sys_exec("/nowhere", 0, 0)); char *args[] = {"program", "one", "two", 0};
      if (sys_fork() == 0) { sys_exec("/bin/program", args, 0); sys_exit(1); }
      int status; sys_wait(-1, &status, 0); print(" "); number(status); sys_exit(0); }`)
    expect(runProgram(bytes, { boot }).program).toBe('-2 3 onetwo 9')
  })
})

/** POSIX programs whose output and exit status must be Linux's own. */
const posix: Record<string, string> = {
  'fork, pipe and wait': `
    int p[2]; pipe(p); pid_t child = fork();
    if (child == 0) { close(p[0]); FILE *out = fdopen(p[1], "w"); for (int i = 0; i < 1000; i++) fprintf(out, "line %d\\n", i);
    fclose(out); exit(5); }
    close(p[1]); FILE *in = fdopen(p[0], "r"); char line[64]; int lines = 0; unsigned long sum = 0;
    while (fgets(line, sizeof line, in)) { lines++; for (char *c = line; *c; c++) sum = sum * 31 + *c; }
    int status; waitpid(child, &status, 0); printf("%d %lu %d %d\\n", lines, sum, WIFEXITED(status), WEXITSTATUS(status)); return 3;`,
  'a child ended by a signal': `
    pid_t child = fork(); if (child == 0) { for (;;) sched_yield(); }
    kill(child, SIGKILL); int status; wait(&status); printf("%d %d\\n", WIFSIGNALED(status), WTERMSIG(status));
    errno = 0; wait(&status); printf("%d\\n", errno == ECHILD); return 0;`,
  'copy-on-write under malloc': `
    char *data = malloc(200000); memset(data, 'a', 200000); fflush(stdout);
    for (int i = 0; i < 4; i++) if (fork() == 0) { memset(data, 'b' + i, 100000); long sum = 0; for (int j = 0; j < 200000;
    j++) sum += data[j]; _exit(sum % 251); }
    int total = 0; for (int i = 0; i < 4; i++) { int status; wait(&status); total += WEXITSTATUS(status); }
    long sum = 0; for (int j = 0; j < 200000; j++) sum += data[j]; printf("%d %ld\\n", total, sum); return 0;`,
  'dup2 and redirection': `
    FILE *f = fopen("/tmp/atoll-redirect", "w+"); if (!f) f = fopen("/redirect", "w+"); int saved = dup(1); fflush(stdout);
    dup2(fileno(f), 1);
    printf("into the file\\n"); fflush(stdout); dup2(saved, 1); rewind(f); char line[64]; fgets(line, sizeof line, f);
    printf("read back: %s", line); return 0;`,
}

describe('POSIX programs do as on Linux', () => {
  for (const [name, body] of Object.entries(posix))
    it.skipIf(process.platform !== 'linux' || process.arch !== 'x64')(name, async () => {
      const headers = ['errno.h', 'sched.h', 'signal.h', 'stdio.h', 'stdlib.h', 'string.h', 'sys/wait.h', 'unistd.h']
      const source = `${headers.map((header) => `#include <${header}>`).join('\n')}\nint main(void) {\n${body}\n}\n`
      const bytes = await build('test.c', source)
      const folder = mkdtempSync(join(tmpdir(), 'atoll-posix-'))
      try {
        const file = join(folder, 'program')
        writeFileSync(file, bytes, { mode: 0o755 })
        const host = spawnSync(file, { encoding: 'utf8', timeout: 20_000 })
        const guest = runProgram(bytes, { boot, untilNs: 10_000_000_000 })
        expect(guest.program).toBe(host.stdout.trimEnd())
        expect(guest.status.exitStatus).toBe(host.status)
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    }, 60_000)
})
