/**
 * Everything that can be said of the source without running it: types, lint, layers, style.
 * Ends with `N passed, N failed`; exit status 1 when anything failed.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

if (!existsSync(join(root, 'node_modules'))) {
  console.error('The packages are not installed. Run: npm ci')
  process.exit(1)
}
const { checkLayers } = await import('./check/layers.mjs')
const { checkStyle } = await import('./check/style.mjs')

const CHECKS = [
  { name: 'types', find: () => tool('typescript/bin/tsc', '--noEmit', '--pretty', 'false', '-p', '.') },
  { name: 'lint', find: () => tool('oxlint/bin/oxlint', '--deny-warnings') },
  { name: 'layers', find: () => checkLayers(root) },
  { name: 'style', find: () => checkStyle(root) }
]

/** Runs a tool of node_modules; its lines when it fails, nothing when it succeeds. */
function tool(path, ...args) {
  const command = [join(root, 'node_modules', path), ...args]
  const { status, stdout, stderr, error } = spawnSync(process.execPath, command, { cwd: root, encoding: 'utf8' })
  if (error !== undefined) return [`cannot run ${path}: ${error.message}`]
  if (status === 0) return []
  return `${stdout}${stderr}`.trimEnd().split('\n')
}

let failed = 0
for (const { name, find } of CHECKS) {
  const start = performance.now()
  const problems = find()
  const elapsed = `${((performance.now() - start) / 1000).toFixed(1)} s`
  if (problems.length > 0) failed++
  console.log(`${problems.length === 0 ? 'ok    ' : 'FAILED'} ${name.padEnd(7)} ${elapsed}`)
  for (const problem of problems) console.log(`  ${problem}`)
}
console.log(`${CHECKS.length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
