import { join } from 'node:path'
import type { BuildOptions } from '../../toolchain/toolchain.ts'
import { INSTALLATION, SHARED_CACHE, freshToolchain } from '../../toolchain/testing/folders.ts'

/** What the lab's tests build their programs with. */
export const toolchain = freshToolchain(SHARED_CACHE)
export const boot = await toolchain.assembleBoot()

/** Builds a source of the project, or a text as if it were one. Throws what the compiler says. */
export async function build(path: string, text?: string, options?: BuildOptions): Promise<Uint8Array> {
  const result = await toolchain.build({ path, file: join(INSTALLATION, path), text }, options)
  if (!result.ok) throw new Error(result.message ?? result.diagnostics.map(({ line, message }) => `${path}:${line}: ${message}`).join('\n'))
  return result.output
}

/** Builds the body of a `_start` that ends with exit status 0, below what it needs. */
export const buildBody = (before: string, body: string): Promise<Uint8Array> =>
  build('test.c', `${before}\nvoid _start(int argc, char **argv) {\n${body}\nsys_exit(0);\n}\n`)

/** C: `print` writes a text, `number` a number and a blank. */
export const PRINT = `
static void print(const char *text) { size_t length = 0; while (text[length]) length++; sys_write(1, text, length); }
static void number(int64_t value) {
  char text[24]; int at = 24; uint64_t rest = value < 0 ? -value : value;
  do text[--at] = '0' + rest % 10; while (rest /= 10);
  if (value < 0) text[--at] = '-';
  sys_write(1, text + at, 24 - at); print(" ");
}`
