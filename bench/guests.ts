import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import type { Compiler } from '../src/engine/toolchain/zig.ts'

/** `bare`: a flat Multiboot image for a machine without an operating system. `hosted`: a Linux executable. */
export type GuestKind = 'bare' | 'hosted'

const FLAGS = [
  '-O2', '-march=x86-64', '-ffreestanding', '-fno-builtin', '-fno-stack-protector', '-fno-pic', '-mno-red-zone',
  '-fno-asynchronous-unwind-tables', '-fcf-protection=none'
]

/**
 * Builds `guest/NAME.c` with the frame for its kind. The work is compiled with the same flags for both, so that every runner executes
 * the same instructions.
 * @param source the folder with the guests' sources
 * @param into an existing folder for what is built
 * @returns the path of the image or the executable. Throws an Error with the compiler's output when it refuses.
 */
export function buildGuest(compiler: Compiler, source: string, into: string, name: string, kind: GuestKind): string {
  const target = kind === 'bare' ? 'x86_64-unknown-none-elf' : 'x86_64-unknown-linux-gnu'
  const headers = compiler.libraryDirectory === undefined ? [] : ['-isystem', join(compiler.libraryDirectory, 'include')]
  const objects = (kind === 'bare' ? ['entry.S', 'bare.c'] : ['hosted.c']).concat(`${name}.c`).map(file => {
    const object = join(into, `${kind}-${name}-${file}.o`)
    run(compiler.clang, [`--target=${target}`, ...FLAGS, ...headers, '-c', join(source, file), '-o', object])
    return object
  })
  const output = join(into, kind === 'bare' ? `${name}.bin` : name)
  const link = kind === 'bare' ? ['-T', join(source, 'link.ld'), '--oformat', 'binary'] : ['-z', 'noexecstack']
  run(compiler.lld, ['-static', '--build-id=none', ...link, ...objects, '-o', output])
  return output
}

function run([file, ...first]: readonly string[], args: string[]): void {
  execFileSync(file, [...first, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
}
