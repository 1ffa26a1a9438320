import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where Atoll keeps what is not the user's: by the conventions of each system, or where the environment says. */

/** Compiled programs and musl. Deleting it costs time and nothing else. `$ATOLL_CACHE` goes first. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env, platform: NodeJS.Platform = process.platform): string {
  if (env.ATOLL_CACHE) return env.ATOLL_CACHE
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'Atoll')
  if (platform === 'win32') return join(env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'Atoll', 'Cache')
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'atoll')
}

/** What makes the next start like the last one, such as the browser shell's port. `$ATOLL_STATE` goes first. */
export function stateFolder(env: NodeJS.ProcessEnv = process.env, platform: NodeJS.Platform = process.platform): string {
  if (env.ATOLL_STATE) return env.ATOLL_STATE
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'Atoll')
  if (platform === 'win32') return join(env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'Atoll', 'State')
  return join(env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'atoll')
}
