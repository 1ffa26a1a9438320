import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, posix, relative, sep } from 'node:path'
import { parseSync, Visitor } from 'vite'

/**
 * What a source file refers to.
 * @typedef {object} Reference
 * @property {string} specifier as written
 * @property {string | undefined} file what it names, relative to the root and `/`-separated; undefined for a package
 * @property {'value' | 'type' | 'url'} kind `url`: named by `new URL(…, import.meta.url)`, as workers are
 * @property {number} line counted from 1
 */

export const SOURCE = /\.(?:tsx?|mts|mjs)$/

/** Every source file under `folders`, relative to `root`, `/`-separated, sorted. Folders that do not exist count as empty. */
export function sourceFiles(root, folders) {
  const found = []
  for (const folder of folders) {
    if (!existsSync(join(root, folder))) continue
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name)
      if (entry.isFile() && SOURCE.test(entry.name) && !path.includes(`${sep}node_modules${sep}`)) found.push(slashes(relative(root, path)))
    }
  }
  return found.sort()
}

/**
 * The references of one file, in the order of the text.
 * @param {string} root absolute
 * @param {string} file relative to `root`
 * @returns {Reference[]} Throws an Error that names the file when it does not parse.
 */
export function referencesOf(root, file) {
  const text = readFileSync(join(root, file), 'utf8')
  const { program, errors } = parseSync(file, text)
  if (errors.length > 0) throw new Error(`${file}: ${errors[0].message}`)
  const references = []
  const add = (source, kind, start) => {
    if (typeof source?.value !== 'string') return
    const line = text.slice(0, start).split('\n').length
    const specifier = kind === 'url' && !source.value.startsWith('.') ? `./${source.value}` : source.value
    references.push({ specifier, file: resolve(root, file, specifier), kind, line })
  }
  const kindOf = (declaration, which) => {
    if (declaration[which] === 'type') return 'type'
    const names = declaration.specifiers ?? []
    return names.length > 0 && names.every(name => name[which] === 'type') ? 'type' : 'value'
  }
  new Visitor({
    ImportDeclaration: node => add(node.source, kindOf(node, 'importKind'), node.start),
    ExportNamedDeclaration: node => add(node.source, kindOf(node, 'exportKind'), node.start),
    ExportAllDeclaration: node => add(node.source, kindOf(node, 'exportKind'), node.start),
    ImportExpression: node => add(node.source, 'value', node.start),
    TSImportType: node => add(node.source, 'type', node.start),
    NewExpression: node => {
      const isUrl = node.callee.type === 'Identifier' && node.callee.name === 'URL' && isImportMetaUrl(node.arguments[1])
      if (isUrl) add(node.arguments[0], 'url', node.start)
    }
  }).visit(program)
  return references
}

function isImportMetaUrl(node) {
  return node?.type === 'MemberExpression' && node.object.type === 'MetaProperty' && node.property.name === 'url'
}

/** A relative specifier becomes a path below the root, found as it stands, with a TypeScript extension, or as a folder's index. */
function resolve(root, from, specifier) {
  const bare = specifier.replace(/\?.*$/, '')
  if (!bare.startsWith('.')) return undefined
  const path = posix.normalize(posix.join(slashes(dirname(from)), bare))
  const candidates = [path, `${path}.ts`, `${path}.tsx`, `${path}/index.ts`, `${path}/index.tsx`]
  return candidates.find(candidate => statSync(join(root, candidate), { throwIfNoEntry: false })?.isFile()) ?? path
}

function slashes(path) {
  return path.split(sep).join('/')
}
