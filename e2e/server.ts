import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** Longer than a start takes, build included. */
const START_MS_MAX = 60_000

/** `atoll serve` as a user starts it, on a project folder of its own. */
export class AtollServer {
  /** A folder that goes when the test is over; the project is in it. */
  private readonly folder = mkdtempSync(join(tmpdir(), 'atoll-e2e-'))
  readonly project = join(this.folder, 'project')
  /** The address that the server printed; it contains the token. */
  url = ''
  private child: ChildProcess | undefined
  private output = ''

  /** Starts on a free port the first time, and on the same port after that. */
  async start(): Promise<void> {
    const port = this.url === '' ? '0' : new URL(this.url).port
    const child = spawn(process.execPath, ['scripts/atoll.mjs', 'serve', '--no-open', '--port', port], {
      env: { ...process.env, ATOLL_PROJECT: this.project, ATOLL_STATE: join(this.folder, 'state') },
      stdio: ['ignore', 'pipe', 'pipe']
    })
    this.child = child
    this.output = ''
    this.url = await new Promise<string>((resolve, reject) => {
      const fail = (what: string): void => reject(new Error(`atoll serve ${what}; it printed:\n${this.output}`))
      const timer = setTimeout(() => fail(`gave no address in ${START_MS_MAX / 1000} s`), START_MS_MAX)
      const read = (bytes: Buffer): void => {
        this.output += bytes.toString()
        const address = this.output.match(/http:\/\/\S+(?=\s)/)
        if (address === null) return
        clearTimeout(timer)
        resolve(address[0])
      }
      child.stdout.on('data', read)
      child.stderr.on('data', read)
      child.once('exit', status => fail(`ended with status ${status}`))
    })
  }

  /** Puts a file into the project, as another program would. */
  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.project, path)), { recursive: true })
    writeFileSync(join(this.project, path), text)
  }

  /** Takes the process away without a word, as a crash or a power cut would. */
  async kill(): Promise<void> {
    const child = this.child
    this.child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const closed = new Promise(resolve => child.once('close', resolve))
    child.kill('SIGKILL')
    await closed
  }

  async dispose(): Promise<void> {
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
