import { z } from 'zod'

/** Bytes typed in one call; a paste of more comes in several. */
export const TYPED_BYTES_MAX = 256 * 1024

export const typedBytes = z
  .instanceof(Uint8Array)
  .refine((bytes) => bytes.byteLength <= TYPED_BYTES_MAX, `at most ${TYPED_BYTES_MAX} bytes`)

/** MessagePack knows no undefined: what is left out in the middle arrives as null. */
export const optional = <T extends z.ZodType>(schema: T) => schema.nullish().transform((value) => value ?? undefined)
