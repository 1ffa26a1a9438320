import type { Stats } from 'node:fs'
import { open } from 'node:fs/promises'
import { ElfError, parseElf } from '../../engine/kernel/process/elf.ts'
import { WasmFormatError } from '../../engine/kernel/wasm/binary/bytes.ts'
import { isWasm } from '../../engine/kernel/wasm/binary/module.ts'
import { compileForKernel } from '../../engine/kernel/wasm/program-file.ts'
import { languageOf } from '../../engine/toolchain/source.ts'
import { fileError, UserError } from './errors.ts'
import { describeSize } from './project.ts'

/** Largest program file that is read, in bytes. */
export const PROGRAM_BYTES_MAX = 256 * 1024 * 1024


/** What to do with a file that is to be run, by its name. */
export function kindOf(path: string): 'source' | 'binary' {
  return languageOf(path) === undefined ? 'binary' : 'source'
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
  try {
    if (isWasm(bytes)) compileForKernel(bytes)
    else parseElf(bytes, ramBytes)
  } catch (error) {
    if (error instanceof WasmFormatError) throw new UserError(`${path} is a WebAssembly module that cannot be run: ${error.message}`)
    if (error instanceof ElfError) throw new UserError(`${path}: ${error.message}`)
    throw error
  }
}
