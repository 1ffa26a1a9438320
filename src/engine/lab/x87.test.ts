import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { boot, build, toolchain } from './testing/programs.ts'
import { runProgram } from './testing/run-program.ts'

beforeAll(() => toolchain.prepareMusl(() => {}), 300_000)

const run = (program: Uint8Array): string => runProgram(program, { boot, untilNs: 60_000_000_000 }).program

/** What the program prints on the host's own processor and in the machine, by lines. */
async function both(source: string): Promise<{ host: string[]; guest: string[] }> {
  const program = await build('x87.c', source)
  const folder = mkdtempSync(join(tmpdir(), 'atoll-x87-'))
  try {
    const file = join(folder, 'program')
    writeFileSync(file, program, { mode: 0o755 })
    const { stdout } = spawnSync(file, { encoding: 'utf8', timeout: 60_000 })
    return { host: stdout.trimEnd().split('\n'), guest: run(program).split('\n') }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const HEADERS = `#include <fenv.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
`

describe.skipIf(process.platform !== 'linux' || process.arch !== 'x64')('a program of the C library prints what it prints on Linux', () => {
  it('doubles and long doubles in every notation', async () => {
    const { host, guest } = await both(`${HEADERS}
      int main(void) {
        double d[] = {0, -0.0, 1, -1.5, 0.1, M_PI, 1e300, 1e-300, 123456789.125, 2.0 / 3, DBL_MIN, DBL_MAX, 4.9e-324, 1e15, 1e16,
          INFINITY, NAN};
        for (size_t i = 0; i < sizeof d / sizeof *d; i++) printf("%f %.3e %g %#.10g %a %+012.4f\\n", d[i], d[i], d[i], d[i], d[i], d[i]);
        long double l[] = {0.1L, 1.0L / 3, M_PI * 1.0L, LDBL_MAX, LDBL_MIN, LDBL_TRUE_MIN, LDBL_EPSILON, 1e4000L, -1e-4000L, INFINITY};
        for (size_t i = 0; i < sizeof l / sizeof *l; i++) printf("%Lg %.21Le %La\\n", l[i], l[i], l[i]);
        printf("%.3Lf %.0Lf\\n", 1e30L / 7, LDBL_MAX);
        return 0;
      }`)
    expect(guest).toEqual(host)
    expect(guest[5]).toBe('3.141593 3.142e+00 3.14159 3.141592654 0x1.921fb54442d18p+1 +000003.1416')
  })

  it('numbers that it reads', async () => {
    const { host, guest } = await both(`${HEADERS}
      int main(void) {
        const char *text[] = {"2.718281828459045", "1.1e100", "0x1.8p-3", "9007199254740993", "1e-320", "inf", "nan", "1e400", ".5e", "-0",
          "179769313486231580793728971405301e276", "123456789012345678901234567890.123456789"};
        for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
          double d = 0; float f = 0; long double l = 0;
          sscanf(text[i], "%f", &f); sscanf(text[i], "%Lf", &l);
          d = strtod(text[i], 0);
          printf("%a %.17g %.9g %.21Lg %La\\n", d, d, f, l, strtold(text[i], 0));
        }
        return 0;
      }`)
    expect(guest).toEqual(host)
  })

  it('sums, roots, remainders and roundings of long doubles', async () => {
    const { host, guest } = await both(`${HEADERS}
      int main(void) {
        long double sum = 0, product = 1;
        for (int i = 1; i <= 500; i++) { sum += 1.0L / i; product *= 1 + 1.0L / i; sum = sum * 0.75L + sqrtl(product); }
        printf("%La %La\\n", sum, product);
        int modes[] = {FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO};
        for (int m = 0; m < 4; m++) {
          fesetround(modes[m]);
          volatile long double one = 1, three = 3, half = 2.5L, minus = -2.5L; volatile float narrow = one / three;
          printf("%La %a %.0Lf %.0Lf", one / three, narrow, rintl(half), rintl(minus));
          printf(" %ld %lld %La\\n", lrintl(half), llrintl(minus), nearbyintl(1e18L + half));
        }
        fesetround(FE_TONEAREST);
        for (int i = 1; i < 8; i++) {
          int quotient = 0; long double a = i * 1e9L / 7, b = i + 0.3L;
          long double rest = remquol(a, b, &quotient);
          printf("%La %La %La %d %La %La %ld\\n", fmodl(a, b), remainderl(-a, b), rest, quotient & 7, floorl(-a), truncl(a), (long)(a * b));
        }
        return 0;
      }`)
    expect(guest).toEqual(host)
  })

  it('exceptions that it asks about', async () => {
    const { host, guest } = await both(`${HEADERS}
      static void ask(const char *what) {
        int raised = fetestexcept(FE_ALL_EXCEPT);
        printf("%s:%s%s%s%s%s\\n", what, raised & FE_INVALID ? " invalid" : "", raised & FE_DIVBYZERO ? " zero" : "",
          raised & FE_OVERFLOW ? " over" : "", raised & FE_UNDERFLOW ? " under" : "", raised & FE_INEXACT ? " inexact" : "");
        feclearexcept(FE_ALL_EXCEPT);
      }
      int main(void) {
        volatile long double zero = 0, one = 1, big = LDBL_MAX, small = LDBL_MIN, out;
        out = one / zero; ask("1/0");
        out = zero / zero; ask("0/0");
        out = big * big; ask("big");
        out = small * small; ask("small");
        out = one / 3; ask("third");
        out = one + one; ask("two");
        out = sqrtl(-one); ask("root");
        volatile int i = (int)big; ask("int");
        return out == i;
      }`)
    expect(guest).toEqual(host)
    expect(guest[0]).toBe('1/0: zero')
  })

  it('the functions of libm, which come from FYL2X, F2XM1, FPATAN and FPREM', async () => {
    // To fifteen digits: in the last place of eighteen processors may differ.
    const { host, guest } = await both(`${HEADERS}
      int main(void) {
        for (int i = 1; i < 9; i++) {
          long double x = i / 8.5L, y = i * 3.7L;
          printf("%.15Lg %.15Lg %.15Lg %.15Lg %.15Lg %.15Lg\\n", expl(y), exp2l(x), expm1l(x), logl(y), log2l(y), log10l(y));
          printf("%.15Lg %.15Lg %.15Lg %.15Lg %.15Lg %.15Lg\\n", log1pl(x), asinl(x), acosl(x), atanl(y), atan2l(-y, -x), powl(y, x));
          printf("%.15Lg %.15Lg %.15Lg %.15g %.15g\\n", sinl(y), cosl(y), tanl(x), sin(y), exp(x));
        }
        return 0;
      }`)
    expect(guest).toEqual(host)
  })

  it('numbers that it keeps across a fork and other processes', async () => {
    const { host, guest } = await both(`${HEADERS}
      int main(void) {
        for (int child = 0; child < 3; child++) {
          long double step = 1.0L / (child + 3), sum = 0;
          fesetround(child == 1 ? FE_UPWARD : FE_DOWNWARD);
          pid_t pid = fork();
          for (int i = 0; i < 20000; i++) { sum += step; if (i % 4096 == 0) usleep(1000); }
          if (pid == 0) _exit(sum * 1e16L == sum * 1e16L + 1 || fegetround() != (child == 1 ? FE_UPWARD : FE_DOWNWARD));
          int status; waitpid(pid, &status, 0);
          printf("%La %d\\n", sum, status);
        }
        return 0;
      }`)
    expect(guest).toEqual(host)
  })
})

it('a program that unmasks an exception is ended by it', async () => {
  const program = await build('x87.c', `${HEADERS}
    int main(void) {
      unsigned short control = 0x37b; volatile long double zero = 0;
      __asm__("fldcw %0" : : "m"(control));
      printf("%Lf\\n", 1 / zero);
      return 0;
    }`)
  const { output, status } = runProgram(program, { boot })
  expect(output).toContain('x87 floating-point error')
  expect(status.exitStatus).toBe(128 + 8)
})
