import { execFile } from 'node:child_process'
import { join } from 'node:path'

export const ROOT = join(import.meta.dirname, '..', '..', '..', '..')
const OUTPUT_BYTES_MAX = 1 << 26

export interface LabRunResult {
  /** -1 when a signal ended it. */
  status: number
  stdout: string
  /** Without what the command line says of building itself in a checkout. */
  stderr: string
}

/** `atoll lab run`, as it was built, in a folder. */
export const labRunIn = (folder: string, ...args: string[]): Promise<LabRunResult> =>
  new Promise((resolve) => {
    const command = [join(ROOT, 'scripts', 'atoll.mjs'), 'lab', 'run', ...args]
    execFile(process.execPath, command, { cwd: folder, encoding: 'utf8', maxBuffer: OUTPUT_BYTES_MAX }, (error, stdout, stderr) =>
      resolve({
        status: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1,
        stdout,
        stderr: stderr.replace(/^atoll: (?:building|built|waiting).*\n/gm, ''),
      }),
    )
  })
