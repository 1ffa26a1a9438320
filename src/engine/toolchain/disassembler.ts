import { createRequire } from 'node:module'
import type * as Iced from 'iced-x86'

const CODE_BITS = 64

let loaded: typeof disassemble | undefined

/**
 * The instruction that starts a run of bytes, in Intel syntax: `mov dword ptr [rax],2Ah`. `(bad)` when the bytes are none.
 *
 * The first call loads iced-x86, 2 MB of Wasm: most runs never see a fault, and one that does cannot wait for a promise.
 *
 * @param bytes at least the instruction; 15 are always enough
 * @param address of its first byte, for the targets of jumps
 */
export function disassemble(bytes: Uint8Array, address: number | bigint): string {
  loaded ??= load()
  return loaded(bytes, address)
}

function load(): typeof disassemble {
  const { Decoder, DecoderOptions, Formatter, FormatterSyntax } = createRequire(import.meta.url)('iced-x86') as typeof Iced
  const formatter = new Formatter(FormatterSyntax.Intel)
  return (bytes, address) => {
    const decoder = new Decoder(CODE_BITS, bytes, DecoderOptions.None)
    try {
      decoder.ip = BigInt.asUintN(64, BigInt(address))
      const instruction = decoder.decode()
      try {
        return instruction.isInvalid ? '(bad)' : formatter.format(instruction)
      } finally {
        instruction.free()
      }
    } finally {
      decoder.free()
    }
  }
}
