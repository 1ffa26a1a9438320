import { existsSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { SOURCE, referencesOf, sourceFiles } from './imports.mjs'

const LINE_LENGTH_MAX = 140
const FOLDERS = ['src', 'scripts', 'e2e', 'bench']
const TEST = /\.(?:test|spec)\.(?:mjs|tsx?)$/
/** `silicon` holds what compares the processor with a real one; nothing but tests can use it. */
const TESTING = /(?:^|\/)(?:testing|silicon)(?:\/|\.)/

/**
 * What a reader trips over and no linter looks for.
 * @param {string} root the checkout, absolute
 * @returns {string[]} one sentence for each finding, `file:line: …`
 */
export function checkStyle(root) {
  return [...checkLines(root), ...checkDeadFiles(root)]
}

/** Lines no longer than 140 characters, no tabs, no blanks at an end, no note to do it later, and a newline at the end of the file. */
function checkLines(root) {
  const problems = []
  for (const file of sourceFiles(root, FOLDERS)) {
    const text = readFileSync(join(root, file), 'utf8')
    if (!text.endsWith('\n')) problems.push(`${file}: does not end with a newline`)
    text.split('\n').forEach((line, index) => {
      const say = finding => problems.push(`${file}:${index + 1}: ${finding}`)
      if (line.length > LINE_LENGTH_MAX) say(`line of ${line.length} characters; ${LINE_LENGTH_MAX} is the most`)
      if (line.includes('\t')) say('tab; two spaces indent here')
      if (/[ \r]$/.test(line)) say('blank at the end of the line')
      if (/\b(?:TO)DO\b|\b(?:FIX)ME\b/.test(line)) say('note to do it later; do it, or file it')
    })
  }
  return problems
}

/**
 * Every file is there for something: reached from what the build names, a script, a benchmark or a test. What only tests
 * reach is dead too, unless it says that it is for them: it lies in a `testing` folder or is called `testing.ts`.
 */
function checkDeadFiles(root) {
  const files = sourceFiles(root, FOLDERS)
  const built = reach(root, [...entries(root), ...files.filter(file => /^(?:scripts|bench)\//.test(file) && !TEST.test(file))])
  const tested = reach(root, files.filter(file => TEST.test(file) || file.startsWith('e2e/')))
  const problems = []
  for (const file of files) {
    if (built.has(file) || TEST.test(file) || file.endsWith('.d.ts')) continue
    if (!tested.has(file)) problems.push(`${file}: nothing imports it`)
    else if (!TESTING.test(file) && !file.startsWith('e2e/'))
      problems.push(`${file}: only tests import it; move it to a testing folder, or let it go`)
  }
  return problems
}

/** The source files that the build's configuration, relative to the root or to src, and the renderer's page name. */
function entries(root) {
  const named = new Set()
  const config = join(root, 'electron.vite.config.ts')
  if (!existsSync(config)) return named
  for (const [, name] of readFileSync(config, 'utf8').matchAll(/['"`]([\w./-]+\.(?:tsx?|html))['"`]/g)) {
    const path = [posix.normalize(name), posix.join('src', name)].find(candidate => existsSync(join(root, candidate)))
    if (path === undefined) continue
    if (!path.endsWith('.html')) named.add(path)
    else
      for (const [, source] of readFileSync(join(root, path), 'utf8').matchAll(/<script[^>]*\ssrc="([^"]+)"/g))
        named.add(posix.normalize(posix.join(posix.dirname(path), source)))
  }
  return named
}

function reach(root, from) {
  const reached = new Set()
  const queue = [...from]
  while (queue.length > 0) {
    const file = queue.pop()
    if (reached.has(file) || !SOURCE.test(file) || !existsSync(join(root, file))) continue
    reached.add(file)
    for (const reference of referencesOf(root, file)) if (reference.file !== undefined) queue.push(reference.file)
  }
  return reached
}
