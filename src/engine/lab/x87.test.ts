import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { INSTALLATION, SHARED_CACHE, freshToolchain } from '../toolchain/testing/folders.ts'
import { runProgram } from './testing/run-program.ts'

const toolchain = freshToolchain(SHARED_CACHE)
let boot: Uint8Array

beforeAll(async () => {
  boot = await toolchain.assembleBoot()
  await toolchain.prepareMusl(() => {})
}, 300_000)

/** The same program, to the byte, on the host's own processor and in the machine. */
async function both(source: string): Promise<{ host: string; guest: string }> {
  const build = await toolchain.build({ path: 'x87.c', file: join(INSTALLATION, 'x87.c'), text: source })
  if (!build.ok) throw new Error(build.message ?? build.diagnostics.map(({ line, message }) => `${line}: ${message}`).join('\n'))
  const folder = mkdtempSync(join(tmpdir(), 'atoll-x87-'))
  try {
    const file = join(folder, 'program')
    writeFileSync(file, build.output, { mode: 0o755 })
    const host = spawnSync(file, { encoding: 'utf8', timeout: 60_000 }).stdout.trimEnd()
    return { host, guest: runProgram(build.output, { boot, untilNs: 60_000_000_000 }).program }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const OPERANDS = `#include <stdio.h>
#include <stdint.h>
#include <string.h>
typedef struct { uint64_t m; uint16_t e; } __attribute__((packed)) f80;
static const f80 values[] = {
  {0, 0}, {0, 0x8000}, {1ull << 63, 0x3fff}, {1ull << 63, 0xbfff}, {3ull << 62, 0x3fff}, {0xaaaaaaaaaaaaaaabull, 0x3ffd},
  {0xc90fdaa22168c235ull, 0x4000}, {0x8000000000000001ull, 0x3fff}, {~0ull, 0x3ffe}, {~0ull, 0x7ffe}, {1ull << 63, 0x7ffe},
  {1ull << 63, 1}, {1, 0}, {0x7fffffffffffffffull, 0}, {1ull << 63, 0}, {1ull << 63, 0x7fff}, {1ull << 63, 0xffff},
  {0xc000000000000000ull, 0x7fff}, {0xc000000000000005ull, 0xffff}, {0x8000000000000005ull, 0x7fff}, {1ull << 62, 0x4000},
  {0xfedcba9876543210ull, 0x403e}, {0xfedcba9876543210ull, 0xc01e}, {0x8000000000000400ull, 0x3fbf}, {0xffffff8000000000ull, 0x407e},
  {0xfffffffffffffc00ull, 0x43fe}, {0x8000000000000000ull, 0x3c01}, {0xc0ffee0000000001ull, 0x3f80}, {0xa000000000000000ull, 0x4002},
};
#define COUNT (int)(sizeof values / sizeof *values)
static const uint16_t controls[] = {0x37f, 0x77f, 0xb7f, 0xf7f, 0x27f, 0x67f, 0x07f, 0xc7f, 0x35e};
static uint64_t hash;
static void mix(const void *data,
  int bytes) { for (int i = 0; i < bytes; i++) hash = (hash ^ ((const uint8_t *)data)[i]) * 1099511628211ull; }
`

const UNARY = [
  'fchs',
  'fabs',
  'fsqrt',
  'frndint',
  'ftst',
  'fxam',
  'fxtract',
  'fst %st(2)',
  'fxch',
  'fld %st(1)',
  'fnop',
  'fld1',
  'fldpi',
  'fldl2t',
]
const BINARY = [
  'fadd %st(1), %st',
  'fmul %st(1), %st',
  'fsub %st(1), %st',
  'fsubr %st(1), %st',
  'fdiv %st(1), %st',
  'fdivr %st(1), %st',
  'faddp',
  'fsubp',
  'fsubrp',
  'fdivp',
  'fdivrp',
  'fmulp',
  'fcom %st(1)',
  'fcomp',
  'fcompp',
  'fucom %st(1)',
  'fucompp',
  'fprem',
  'fprem1',
  'fscale',
  'fcmovb %st(1), %st',
  'fcmovne %st(1), %st',
  'fincstp',
  'fdecstp',
  'ffree %st(0)',
]
const STORES: readonly (readonly [string, string])[] = [
  ['float', 'fstps %2'],
  ['double', 'fstpl %2'],
  ['int16_t', 'fistps %2'],
  ['int32_t', 'fistpl %2'],
  ['int64_t', 'fistpq %2'],
  ['f80', 'fbstp %2'],
]
const LOADS: readonly (readonly [string, string])[] = [
  ['float', 'flds %1'],
  ['double', 'fldl %1'],
  ['int16_t', 'filds %1'],
  ['int32_t', 'fildl %1'],
  ['int64_t', 'fildq %1'],
]

/** Runs each operation over all operands and control words; a line of hashes each, so that a difference names its operation. */
const arithmeticSource = (): string => {
  const operation = (name: string, instruction: string): string => `
  for (int c = 0; c < (int)(sizeof controls / 2); c++) {
    hash = 14695981039346656037ull;
    for (int i = 0; i < COUNT; i++) for (int j = 0; j < COUNT; j++) {
      uint8_t image[108]; memset(image, 0, sizeof image);
      __asm__ volatile("fninit; fldcw %3; fldt %2; fldt %1; fnclex; ${instruction}; fnsave %0"
        : "=m"(image) : "m"(values[i]), "m"(values[j]), "m"(controls[c]) : "memory", "cc");
      uint16_t status; memcpy(&status, image + 4, 2); mix(&status, 2); mix(image + 8, 2); mix(image + 28, 20);
    }
    printf("${name.replace(/%/g, '%%')} %x %016lx\\n", controls[c], hash);
  }`
  const store = ([type, instruction]: readonly [string, string]): string => `
  for (int c = 0; c < (int)(sizeof controls / 2); c++) {
    hash = 14695981039346656037ull;
    for (int i = 0; i < COUNT; i++) {
      ${type} out; memset(&out, 0x5a, sizeof out); uint16_t status;
      __asm__ volatile("fninit; fldcw %3; fldt %4; fnclex; ${instruction}; fnstsw %0; fnclex"
        : "=m"(status), "=m"(out) : "m"(out), "m"(controls[c]), "m"(values[i]) : "memory");
      mix(&status, 2); mix(&out, sizeof out);
    }
    printf("${instruction.replace('%2', '')} %x %016lx\\n", controls[c], hash);
  }`
  const load = ([type, instruction]: readonly [string, string]): string => `
  { hash = 14695981039346656037ull;
    for (int i = 0; i < COUNT; i++) for (int k = 0; k < 3; k++) {
      ${type} in; uint8_t bytes[16]; memcpy(bytes, &values[i], 10); memcpy(&in, bytes + k, sizeof in); f80 out; uint16_t status;
      __asm__ volatile("fninit; ${instruction}; fnstsw %2; fstpt %0" : "=m"(out) : "m"(in), "m"(status) : "memory");
      mix(&status, 2); mix(&out, 10);
    }
    printf("${instruction.replace(' %1', '')} %016lx\\n", hash);
  }`
  const body = [...UNARY, ...BINARY].map((instruction) => operation(instruction, instruction.replace(/%st/g, '%%st')))
  return `${OPERANDS}int main(void) {\n${[...body, ...STORES.map(store), ...LOADS.map(load)].join('\n')}\n  return 0;\n}\n`
}

describe.skipIf(process.platform !== 'linux' || process.arch !== 'x64')('x87 as on silicon', () => {
  it('arithmetic, comparisons, loads and stores: results, status, tags, in every rounding mode and precision', async () => {
    const { host, guest } = await both(arithmeticSource())
    expect(host.split('\n').length).toBeGreaterThan(300)
    expect(guest.split('\n')).toEqual(host.split('\n'))
  }, 120_000)

  it('printf and scanf of doubles and long doubles, and libm', async () => {
    const { host, guest } = await both(`#include <stdio.h>
      #include <stdlib.h>
      #include <math.h>
      int main(void) {
        double d[] = {0, 1, -1.5, 3.141592653589793, 1e300, 1e-300, 123456789.125, 2.0 / 3, 4.9e-324, INFINITY, NAN};
        for (int i = 0; i < 11; i++) printf("%f %.3e %g %a %Lg\\n", d[i], d[i], d[i], d[i], (long double)d[i] * 3);
        for (int i = 1; i < 9; i++) printf("%.15g %.15g %.15g %.15Lg\\n", sin(i), exp(i / 3.0), log(i * 7.0), sinl(i) + cosl(i) + atanl(i));
        printf("%.17g %.20Lg %ld %d\\n", strtod("2.718281828459045", 0), strtold("1.1e100", 0), lrint(2.5), (int)-3.7L);
        return 0;
      }`)
    expect(guest).toBe(host)
  })

  it('transcendental instructions, to the last places', async () => {
    const { host, guest } = await both(`#include <stdio.h>
      int main(void) {
        for (int i = -40; i <= 40; i++) {
          long double x = i / 41.0L, y = (i + 41) * 1.25L, z = i * 123.456L, r[9];
          __asm__("f2xm1" : "=t"(r[0]) : "0"(x));
          __asm__("fyl2x" : "=t"(r[1]) : "0"(y), "u"(x) : "st(1)");
          __asm__("fyl2xp1" : "=t"(r[2]) : "0"(x / 4), "u"(z) : "st(1)");
          __asm__("fsin" : "=t"(r[3]) : "0"(z));
          __asm__("fcos" : "=t"(r[4]) : "0"(z));
          __asm__("fsincos" : "=t"(r[5]), "=u"(r[6]) : "0"(y));
          __asm__("fptan; fstp %%st(0)" : "=t"(r[7]) : "0"(x));
          __asm__("fpatan" : "=t"(r[8]) : "0"(z), "u"(x) : "st(1)");
          for (int j = 0; j < 9; j++) printf("%.17Lg ", r[j]);
          printf("\\n");
        }
        return 0;
      }`)
    expect(guest.split('\n')).toEqual(host.split('\n'))
  })
})
