import type { Stats } from 'node:fs'
import { open } from 'node:fs/promises'
import { extname } from 'node:path'
import { ElfError, parseElf } from '../../engine/kernel/process/elf.ts'
import { languageOf } from '../../engine/toolchain/source.ts'
import { fileError, UserError } from './errors.ts'
import { describeSize } from './project.ts'

/** Largest program file that is read, in bytes. */
export const PROGRAM_BYTES_MAX = 256 * 1024 * 1024

const WASM_MAGIC = 0x0061736d
const NO_WASM = 'is a WebAssembly module, and this version of Atoll has no WebAssembly runtime yet: it runs C, assembly and ELF programs'

/** What to do with a file that is to be run, by its name. */
export function kindOf(path: string): 'source' | 'wat' | 'wasm' | 'binary' {
  if (extname(path) === '.wasm') return 'wasm'
  const language = languageOf(path)
  return language === undefined ? 'binary' : language === 'wat' ? 'wat' : 'source'
}

/** Why a module, built or ready, is not run: one sentence. */
export function refuseWasm(path: string): string {
  return `${path} ${NO_WASM}`
}

/** The bytes of a program file on the disk. Throws a UserError. */
export async function readProgram(file: string, path: string): Promise<Uint8Array> {
  try {
    const handle = await open(file)
    try {
      const info = await handle.stat()
      checkStats(info, path)
      return new Uint8Array(await handle.readFile())
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw fileError('read', path, error)
  }
}

function checkStats(info: Stats, path: string): void {
  if (info.isDirectory()) throw new UserError(`cannot read ${path}: it is a folder`)
  if (info.size > PROGRAM_BYTES_MAX) {
    throw new UserError(`cannot read ${path}: it has ${describeSize(info.size)}, at most ${describeSize(PROGRAM_BYTES_MAX)} are accepted`)
  }
}

/** Checks a ready binary as the kernel will. Throws a UserError with the kernel's own sentence. */
export function checkProgram(bytes: Uint8Array, path: string, ramBytes: number): void {
  if (bytes.byteLength >= 4 && new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) === WASM_MAGIC)
    throw new UserError(refuseWasm(path))
  try {
    parseElf(bytes, ramBytes)
  } catch (error) {
    if (error instanceof ElfError) throw new UserError(`${path}: ${error.message}`)
    throw error
  }
}
