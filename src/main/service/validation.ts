import { z } from 'zod'
import type { ShellService } from '../../protocol/shell.ts'
import { UserError } from './errors.ts'
import { LAB_ARGUMENTS } from './lab/lab-arguments.ts'
import { ARG_LENGTH_MAX, ARGS_MAX, RAM_BYTES_MAX, RAM_BYTES_MIN, SEED_MAX } from './machine-options.ts'
import { PATH_LENGTH_MAX } from './project-path.ts'
import { TEXT_BYTES_MAX } from './project.ts'
import { optional, typedBytes } from './validation-schemas.ts'

const path = z.string().max(PATH_LENGTH_MAX)
// Bytes are counted where it matters; no UTF-8 text has more UTF-16 units than bytes.
const text = z.string().max(TEXT_BYTES_MAX)
const machineId = z.string().max(64)

const bootRequest = z.strictObject({
  program: path,
  args: optional(z.array(z.string().max(ARG_LENGTH_MAX)).max(ARGS_MAX)),
  memoryBytes: optional(z.int().min(RAM_BYTES_MIN).max(RAM_BYTES_MAX)),
  seed: optional(z.int().min(0).max(SEED_MAX)),
  pace: optional(z.enum(['live', 'fast'])),
})

/** The arguments of each method, by name and in order. A method that is not here cannot be called from outside. */
const ARGUMENTS = {
  attach: {},
  listFiles: {},
  readFile: { path },
  writeFile: { path, text, baseVersion: optional(z.string().max(128)) },
  createFile: { path, text },
  renameFile: { from: path, to: path },
  deleteFile: { path },
  check: { path, text },
  build: { path },
  boot: { request: bootRequest },
  stop: { id: machineId },
  reset: { id: machineId },
  type: { id: machineId, bytes: typedBytes },
  ...LAB_ARGUMENTS,
} satisfies Record<keyof ShellService, Record<string, z.ZodType>>

/**
 * `service` behind a check of everything that comes in: the functions to hand to the RPC of a channel that leaves this process.
 * A wrong argument rejects with one sentence such as `boot: request.memoryBytes: Invalid input: expected number, received string`.
 */
export function validated(service: ShellService): ShellService {
  const checked: Record<string, (...args: unknown[]) => Promise<unknown>> = {}
  for (const [method, shape] of Object.entries(ARGUMENTS)) {
    const names = Object.keys(shape)
    const schema = z.strictObject(shape)
    checked[method] = async (...args) => {
      if (args.length > names.length) throw new UserError(`${method}: expected at most ${names.length} arguments, found ${args.length}`)
      const parsed = schema.safeParse(Object.fromEntries(names.map((name, index) => [name, args[index]])))
      if (!parsed.success) {
        const [issue] = parsed.error.issues
        throw new UserError(`${method}: ${issue.path.join('.')}: ${issue.message}`)
      }
      const values = parsed.data as Record<string, unknown>
      const call = service[method as keyof ShellService] as (...args: unknown[]) => Promise<unknown>
      return call.apply(
        service,
        names.map((name) => values[name]),
      )
    }
  }
  return checked as unknown as ShellService
}
