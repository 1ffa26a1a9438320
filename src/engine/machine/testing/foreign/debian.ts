import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Packages of Debian, unpacked and never installed. Kept between runs: the kernel's has 70 MB. */
const CACHE = fileURLToPath(new URL('../../../../../.cache/debian', import.meta.url))
const DOWNLOAD_MS_MAX = 120_000

const run = (command: string, args: string[], cwd = CACHE): string =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: DOWNLOAD_MS_MAX })

const DOWNLOAD_HELPER = '/usr/lib/apt/apt-helper'

/** Downloads a package's file into a folder. Another architecture's lies beside this one's, whether or not apt has its lists. */
function download(name: string, architecture: string | undefined, folder: string): void {
  if (architecture === undefined) {
    run('apt-get', ['download', name], folder)
    return
  }
  const own = run('dpkg', ['--print-architecture']).trim()
  const address = /^'([^']+)'/.exec(run('apt-get', ['--print-uris', 'download', name], folder))?.[1]
  if (address === undefined) throw new Error(`apt does not say where ${name} is`)
  run(DOWNLOAD_HELPER, ['download-file', address.replace(`_${own}.deb`, `_${architecture}.deb`), join(folder, 'package.deb')], folder)
}

/**
 * The folder with a package's files, or undefined where it cannot be had: no Debian, no network, no such package.
 *
 * @param architecture another than this Debian's, of a package that is there for both in one version
 */
export function debianPackage(name: string, architecture?: string): string | undefined {
  const folder = join(CACHE, architecture === undefined ? name : `${name}-${architecture}`)
  if (existsSync(folder)) return folder
  const part = `${folder}.part`
  try {
    rmSync(part, { recursive: true, force: true })
    mkdirSync(part, { recursive: true })
    download(name, architecture, part)
    const [file] = readdirSync(part)
    run('dpkg-deb', ['-x', join(part, file), join(part, 'files')])
    renameSync(join(part, 'files'), folder)
    return folder
  } catch {
    return undefined
  } finally {
    rmSync(part, { recursive: true, force: true })
  }
}

/** What a meta-package stands for: the first package that it depends on and whose name begins so. */
export function dependencyOf(name: string, prefix: string): string | undefined {
  try {
    mkdirSync(CACHE, { recursive: true })
    const lines = run('apt-cache', ['depends', name]).split('\n')
    return lines.map((line) => /^ {2}Depends: (\S+)/.exec(line)?.[1]).find((found) => found?.startsWith(prefix))
  } catch {
    return undefined
  }
}

/** The only file of a package's /boot that a name begins so. */
export function bootFile(folder: string, prefix: string): string {
  const found = readdirSync(join(folder, 'boot')).filter((file) => file.startsWith(prefix))
  if (found.length !== 1) throw new Error(`expected one ${prefix}* in ${folder}/boot, found ${found.join(', ') || 'none'}`)
  return join(folder, 'boot', found[0])
}
