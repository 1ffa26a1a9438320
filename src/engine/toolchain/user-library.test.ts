import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { INSTALLATION, SHARED_CACHE, temporaryFolder } from './testing/folders.ts'
import { Toolchain } from './toolchain.ts'

const TEST = `
#include <stdio.h>
#include <stdlib.h>

enum { SIZE = 64 };

static void expect(int holds, const char *what, int a, int b, int n) {
  if (holds) return;
  printf("%s wrong: %d %d %d\\n", what, a, b, n);
  exit(1);
}

int main(void) {
  unsigned char block[SIZE], wanted[SIZE];
  for (int to = 0; to < 24; to++)
    for (int from = 0; from < 24; from++)
      for (int n = 0; n < 24; n++) {
        for (int i = 0; i < SIZE; i++) block[i] = wanted[i] = (unsigned char)(i * 7);
        for (int i = 0; i < n; i++) wanted[to + i] = (unsigned char)((from + i) * 7);
        expect(my_memmove(block + to, block + from, n) == block + to, "result of memmove", to, from, n);
        for (int i = 0; i < SIZE; i++) expect(block[i] == wanted[i], "memmove", to, from, n);
        expect(my_memcmp(block, wanted, SIZE) == 0, "memcmp", 0, 0, SIZE);
        expect(my_memset(block + to, from - 300, n) == block + to, "result of memset", to, from, n);
        for (int i = 0; i < SIZE; i++)
          expect(block[i] == (i >= to && i < to + n ? (unsigned char)(from - 300) : wanted[i]), "memset", to, from, n);
      }
  expect(my_memcpy(block, "abc", 4) == block && block[1] == 'b' && block[3] == 0, "memcpy", 0, 0, 4);
  expect(my_memcmp("ab\\x80", "ab\\x7f", 3) > 0 && my_memcmp("a", "b", 1) < 0 && my_memcmp("a", "b", 0) == 0, "sign of memcmp", 0, 0, 0);
  puts("right");
}
`

// A static Linux program for x86-64 runs on the host where the host is one.
const runsHere = process.platform === 'linux' && process.arch === 'x64'
test.runIf(runsHere)('the memory functions of freestanding programs do what C says', async () => {
  const toolchain = new Toolchain({ installation: INSTALLATION, cacheDirectory: SHARED_CACHE })
  const library = readFileSync(join(INSTALLATION, 'user', 'lib', 'memory.c'), 'utf8').replace(/\b(mem(?:cpy|set|move|cmp))\(/g, 'my_$1(')
  const build = await toolchain.build({ path: 'a.c', file: '/nowhere/a.c', text: library + TEST })
  if (!build.ok) throw new Error(build.message ?? JSON.stringify(build.diagnostics))
  const program = join(temporaryFolder(), 'program')
  writeFileSync(program, build.output, { mode: 0o755 })
  expect(execFileSync(program, { encoding: 'utf8' })).toBe('right\n')
}, 600_000)
