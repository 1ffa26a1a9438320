import { z } from 'zod'
import { ARGS_MAX, LINKS_MAX, NAME_LENGTH_MAX, NODES_MAX, PORT_MAX, SEED_MAX, TEXT_LENGTH_MAX } from '../../../engine/lab/file/schema.ts'
import type { LabService } from '../../../protocol/lab.ts'
import { RAM_BYTES_MAX, RAM_BYTES_MIN } from '../machine-options.ts'
import { PATH_LENGTH_MAX } from '../project-path.ts'
import { optional, typedBytes } from '../validation-schemas.ts'
import { FRAMES_MAX } from './frame-ring.ts'

/** Shapes and sizes of what comes in about labs; what makes no sense in a lab is said by the rules of `lab.json`. */

const path = z.string().max(PATH_LENGTH_MAX)
const id = z.string().max(NAME_LENGTH_MAX)
const amount = z.int().min(0)
const probability = z.number().min(0).max(1)
const port = z.strictObject({ node: id, port: z.int().min(0).max(PORT_MAX) })

const impairments = z.strictObject({
  latencyNs: amount,
  jitterNs: amount,
  bandwidthBps: z.number().min(0),
  loss: probability,
  duplicate: probability,
  reorder: probability,
  corrupt: probability,
  queueBytes: amount,
})

const change = z
  .strictObject(Object.fromEntries(Object.entries(impairments.shape).map(([name, schema]) => [name, optional(schema)])))
  .transform((given) => Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)))

const topology = z.strictObject({
  name: z.string().max(NAME_LENGTH_MAX),
  seed: z.int().min(0).max(SEED_MAX),
  nodes: z
    .array(
      z.strictObject({
        id,
        kind: z.enum(['machine', 'switch', 'hub']),
        position: z.strictObject({ x: z.number(), y: z.number() }),
        program: optional(path),
        args: optional(z.array(z.string().max(TEXT_LENGTH_MAX)).max(ARGS_MAX)),
        memoryBytes: optional(z.int().min(RAM_BYTES_MIN).max(RAM_BYTES_MAX)),
        address: optional(z.string().max(NAME_LENGTH_MAX)),
      }),
    )
    .max(NODES_MAX),
  links: z.array(z.strictObject({ id, a: port, b: port, impairments })).max(LINKS_MAX),
})

const nodes = optional(z.array(id).max(NODES_MAX))

export const LAB_ARGUMENTS = {
  labAttach: {},
  labList: {},
  labOpen: { path, name: optional(z.string().min(1).max(NAME_LENGTH_MAX)) },
  labNew: {},
  labSave: { path, topology },
  labUpdate: { topology },
  labStart: { options: z.strictObject({ pace: z.enum(['live', 'fast']), nodes }) },
  labStop: { nodes },
  labPause: {},
  labResume: {},
  labType: { node: id, bytes: typedBytes },
  labSetLink: { link: id, change },
  labCut: { link: id },
  labHeal: { link: id },
  labFrames: { after: amount, limit: z.int().min(1).max(FRAMES_MAX) },
  labCapture: {},
  labProcesses: { node: id },
} satisfies Record<keyof LabService, Record<string, z.ZodType>>
