import { readdir } from 'node:fs/promises'
import { join, posix } from 'node:path'
import type { Toolchain } from '../../engine/toolchain/toolchain.ts'
import { appRoot } from './app-root.ts'
import { UserError } from './errors.ts'

/** The program whose machines get the others beside it. */
const SHELL = '/bin/sh'
/** Programs of the system: all of the first folder, and those that are fun to start from a shell. */
const FOLDER = 'user/bin'
const DEMOS =
  'beacon chat echo fault files fork_demo hello ipc_demo pipe_demo primes rpc spin udp_client udp_echo wasm_test'.split(' ')
/** What a program expects beside itself: files by where they stand, and the sources they are built from. */
const COMPANIONS: Record<string, Record<string, string>> = { '/bin/wasm_test': { '/lib/test.wasm': 'user/test.wat' } }

/**
 * What lies in a machine that runs the program at `guestPath`: beside the shell the system's programs and what they need, beside
 * any other what it needs itself. Built as everything is, so the second time they are there at once. Throws UserError when one
 * does not build.
 */
export async function systemPrograms(toolchain: Toolchain, guestPath: string): Promise<Map<string, Uint8Array>> {
  const sources = new Map(Object.entries(COMPANIONS[guestPath] ?? {}))
  if (guestPath === SHELL) {
    const names = (await readdir(join(appRoot(), FOLDER))).filter((name) => name.endsWith('.c')).sort()
    for (const path of [...names.map((name) => posix.join(FOLDER, name)), ...DEMOS.map((name) => `user/${name}.c`)])
      sources.set(`/bin/${posix.parse(path).name}`, path)
    for (const companions of Object.values(COMPANIONS)) for (const [file, path] of Object.entries(companions)) sources.set(file, path)
  }
  const files = new Map<string, Uint8Array>()
  for (const [file, path] of sources) {
    const build = await toolchain.build({ path, file: join(appRoot(), path) })
    if (!build.ok) throw new UserError(`the system's own ${path} was not built: ${build.message ?? build.diagnostics[0]?.message}`)
    files.set(file, build.output)
  }
  return files
}
