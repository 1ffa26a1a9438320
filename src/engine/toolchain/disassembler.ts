/**
 * The instruction that starts a run of bytes, in Intel syntax: `mov dword ptr [rax],2Ah`. `(bad)` when the bytes are none.
 * @param bytes at least the instruction; 15 are always enough
 * @param address of its first byte, for the targets of jumps
 */
export type Disassemble = (bytes: Uint8Array, address: number | bigint) => string

const CODE_BITS = 64

let loading: Promise<Disassemble> | undefined

/** Loads the disassembler (iced-x86, 2 MB of Wasm) the first time it is needed. */
export function loadDisassembler(): Promise<Disassemble> {
  loading ??= load()
  return loading
}

async function load(): Promise<Disassemble> {
  const { Decoder, DecoderOptions, Formatter, FormatterSyntax } = await import('iced-x86')
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
