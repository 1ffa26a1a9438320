import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { BuildCache } from './build-cache.ts'
import { cacheKey } from './cache.ts'
import { checkEnding, compileFlags, compileSource } from './compile.ts'
import { ToolchainError } from './errors.ts'
import { runProcess } from './run-process.ts'
import { loadSource } from './source.ts'
import { subfolder, withWorkFolder } from './work-folder.ts'
import type { Compiler } from './zig.ts'

const TIME_LIMIT_MS = 60_000
const LINK_FLAGS: readonly string[] = [
  '-m', 'elf_x86_64', '-static', '--build-id=none', '-z', 'max-page-size=4096', '-z', 'noexecstack', '--color-diagnostics=never'
]

/**
 * Assembles one .S file and links it as a linker script says: a boot image, or any other kernel in assembly.
 * Throws ToolchainError `failed` with the assembler's diagnostics, or with what the linker said.
 *
 * @param source absolute, as is `script`
 * @param name what diagnostics and debug information call the source
 */
export async function assembleImage(
  compiler: Compiler, cache: BuildCache, source: string, script: string, name: string
): Promise<Uint8Array> {
  const loaded = await loadSource({ path: name, file: source })
  const scriptText = await readFile(script, 'utf8')
  const flags = compileFlags(compiler, 'atoll', 'assembly', [])
  const key = cacheKey('image 1', compiler.identity, JSON.stringify([flags, LINK_FLAGS, source, name]), loaded.text, scriptText)
  const hit = await cache.read(key)
  if (hit) return hit.bytes
  return withWorkFolder(async folder => {
    const work = await subfolder(folder, 'boot')
    const compiled = await compileSource({ compiler, source: loaded, language: 'assembly', flags, work })
    if (!compiled.object) throw new ToolchainError('failed', compiled.rest || `${name} has errors`, compiled.diagnostics)
    const output = join(folder, 'image.elf')
    const [file, ...driver] = compiler.lld
    const result = await runProcess({
      file, cwd: dirname(script), timeLimitMs: TIME_LIMIT_MS, args: [...driver, ...LINK_FLAGS, '-T', script, '-o', output, compiled.object]
    })
    checkEnding(result, `linking ${name}`)
    if (result.status !== 0) throw new ToolchainError('failed', `${name} could not be linked: ${result.stderr.trim()}`)
    const image = new Uint8Array(await readFile(output))
    await cache.write(key, image, null, [loaded.text], compiled.headers, [dirname(source)])
    return image
  })
}
