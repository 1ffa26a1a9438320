import { createHash, createHmac, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

/** After so long the keys are made anew, in milliseconds. */
const AGE_MS_MAX = 30 * 24 * 3600 * 1000

const stored = z.object({
  project: z.string(),
  secret: z.string().length(64),
  madeMs: z.number(),
  port: z.int().min(1).max(65535).optional(),
})

type Stored = z.infer<typeof stored>

/**
 * The browser shell's secret and last port for one project, kept for this user alone. So a page that is open while Atoll is started
 * again finds its way back by itself, and a browser, which keeps settings by address, finds them too. A folder that cannot be written
 * means keys for this process only.
 */
export class ShellKeys {
  readonly #folder: string
  readonly #file: string
  readonly #stored: Stored

  constructor(folder: string, project: string, found?: Stored) {
    this.#folder = folder
    this.#file = join(folder, `${createHash('sha256').update(project).digest('hex').slice(0, 16)}.json`)
    this.#stored = found ?? { project, secret: randomBytes(32).toString('hex'), madeMs: Date.now() }
  }

  /** @param stateFolder where Atoll keeps its state; need not exist */
  static async load(stateFolder: string, project: string): Promise<ShellKeys> {
    const folder = join(stateFolder, 'serve')
    const keys = new ShellKeys(folder, project)
    const found = await readStored(keys.#file)
    const isFresh = found !== undefined && found.project === project && Date.now() - found.madeMs < AGE_MS_MAX
    return isFresh ? new ShellKeys(folder, project, found) : keys
  }

  /** The port this project was served at last. */
  get port(): number | undefined {
    return this.#stored.port
  }

  /** A secret for one purpose at one port; knowing one says nothing of another. */
  secretFor(purpose: 'token' | 'session', port: number): string {
    return createHmac('sha256', this.#stored.secret).update(`${purpose} ${port}`).digest('base64url').slice(0, 32)
  }

  /** Keeps the keys, and forgets those of projects that are gone. */
  async remember(port: number): Promise<void> {
    this.#stored.port = port
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 })
      const fresh = `${this.#file}.${process.pid}`
      await writeFile(fresh, JSON.stringify(this.#stored), { mode: 0o600 })
      await rename(fresh, this.#file)
      for (const name of await readdir(this.#folder)) {
        const file = join(this.#folder, name)
        const other = name.endsWith('.json') ? await readStored(file) : undefined
        if (other !== undefined && !existsSync(other.project)) await rm(file, { force: true })
      }
    } catch {
      // The next start makes new keys.
    }
  }
}

async function readStored(file: string): Promise<Stored | undefined> {
  try {
    return stored.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch {
    return undefined
  }
}
