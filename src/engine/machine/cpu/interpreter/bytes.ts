import { buildInterpreter } from './build.ts'
import { MEMORY_PAGES_MIN } from './interface.ts'

/** Tier 0's module. The build puts the finished bytes in the place of this file (electron.vite.config.ts): making them takes 80 ms. */
export const interpreterBytes = (): Uint8Array<ArrayBuffer> => buildInterpreter(MEMORY_PAGES_MIN)
