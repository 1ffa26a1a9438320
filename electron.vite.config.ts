import { join, normalize } from 'node:path'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'electron-vite'
import { runnerImport, type Plugin } from 'vite'

/**
 * The build. `ATOLL_OUT` is where it goes (default `out`) and `ATOLL_BUILD=node` leaves out what only a window needs;
 * `scripts/ensure-built.mjs` sets both. What Node runs is one build with shared chunks: `main/index.js` (Electron), `cli/index.js`,
 * `worker/index.js` and the benchmarks, ES modules for the oldest Node that Atoll supports; packages stay in node_modules.
 */
const out = process.env.ATOLL_OUT ?? 'out'
const hasWindow = process.env.ATOLL_BUILD !== 'node'
const source = (path: string): string => join(import.meta.dirname, 'src', path)

/** Tier 0 is the same in every process: its bytes are generated once, here, and stand where the module was that generates them. */
function interpreterBytes(): Plugin {
  const file = source('engine/machine/cpu/interpreter/bytes.ts')
  return {
    name: 'atoll-interpreter-bytes',
    async load(id) {
      if (normalize(id) !== file) return undefined
      const { module } = await runnerImport<typeof import('./src/engine/machine/cpu/interpreter/bytes.ts')>(file, { configFile: false })
      const text = Buffer.from(module.interpreterBytes()).toString('base64')
      return `export const interpreterBytes = () => Buffer.from('${text}', 'base64')`
    },
  }
}

export default defineConfig({
  main: {
    plugins: [interpreterBytes()],
    build: {
      outDir: out,
      emptyOutDir: false,
      target: 'node20.19',
      minify: false,
      externalizeDeps: true,
      rolldownOptions: {
        input: {
          'cli/index': source('cli/index.ts'),
          'worker/index': source('main/worker/index.ts'),
          'bench/index': join(import.meta.dirname, 'bench', 'index.ts'),
          'bench/boot-sample': join(import.meta.dirname, 'bench', 'boot-sample.ts'),
          'bench/lab-sample': join(import.meta.dirname, 'bench', 'lab-sample.ts'),
          'bench/translation-sample': join(import.meta.dirname, 'bench', 'translation-sample.ts'),
          ...(hasWindow && { 'main/index': source('main/index.ts') }),
        },
        output: {
          format: 'es',
          entryFileNames: '[name].js',
          chunkFileNames: 'chunks/[name]-[hash].js',
          // V8 folds what a constant holds, a variable it has to load: with Vite's `var` a machine's crossings take twice as long.
          topLevelVar: false,
        },
      },
    },
  },
  ...(hasWindow && {
    preload: {
      build: {
        outDir: join(out, 'preload'),
        // A sandboxed preload is loaded as a CommonJS script and can require nothing but Electron.
        rolldownOptions: { input: source('preload/index.ts'), output: { format: 'cjs', entryFileNames: '[name].cjs' } },
        externalizeDeps: false,
      },
    },
    renderer: {
      root: source('renderer'),
      plugins: [react()],
      worker: { format: 'es' },
      build: {
        outDir: join(out, 'renderer'),
        rolldownOptions: { input: source('renderer/index.html') },
        // The page's policy forbids data: scripts and the fonts are real files; inlining would save nothing on a loopback.
        assetsInlineLimit: 0,
        minify: true,
        chunkSizeWarningLimit: 8192,
      },
    },
  }),
})
