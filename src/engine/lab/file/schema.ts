import { z } from 'zod'
import { DURATION_PATTERN, PERCENT_PATTERN, RATE_PATTERN, SIZE_PATTERN } from './quantities.ts'

/**
 * `lab.json` as it is written. The published JSON Schema is made of this; what a schema cannot say (that a link's ends exist) is
 * checked by `parseLab`. Each error message is what was expected, and nothing else: the reader of the file adds place and find.
 */

export const LAB_VERSION = 1

export const NODES_MAX = 256
export const LINKS_MAX = 1024
export const TIMELINE_MAX = 10_000
export const CHECKS_MAX = 1000
export const PORT_MAX = 255
export const SEED_MAX = 2 ** 32 - 1
export const NAME_LENGTH_MAX = 200
export const TEXT_LENGTH_MAX = 4096
export const PATTERN_LENGTH_MAX = 1024
export const ARGS_MAX = 256

const text = (expected: string, lengthMax: number, lengthMin = 0) =>
  z
    .string({ error: expected })
    .min(lengthMin, { error: expected })
    .max(lengthMax, { error: `${expected} of at most ${lengthMax} characters` })

const pattern = (regex: RegExp, expected: string) => z.string({ error: expected }).regex(regex, { error: expected })

const whole = (least: number, most: number) => {
  const error = `a whole number from ${least} to ${most}`
  return z.int({ error }).min(least, { error }).max(most, { error })
}

const list = <T extends z.ZodType>(item: T, what: string, lengthMax: number) =>
  z.array(item, { error: `a list of ${what}` }).max(lengthMax, { error: `at most ${lengthMax} ${what}` })

const object = <T extends z.ZodRawShape>(shape: T) =>
  z.strictObject(shape, { error: (issue) => (issue.code === 'unrecognized_keys' ? undefined : 'an object') })

const duration = pattern(DURATION_PATTERN, 'a duration with its unit, such as "5ms"').meta({ description: 'ns, us, ms, s, min or h' })
const rate = pattern(RATE_PATTERN, 'a bandwidth with its unit, such as "10Mbit"').meta({ description: 'bit, kbit, Mbit or Gbit a second' })
const size = pattern(SIZE_PATTERN, 'a size with its unit, such as "64KiB"').meta({ description: 'B, KiB (K), MiB (M) or GiB (G)' })
const CHANCE = { error: 'a probability from 0 to 1, or a percentage such as "5%"' }
const probability = z
  .union([z.number(CHANCE).min(0, CHANCE).max(1, CHANCE), z.string().regex(PERCENT_PATTERN, CHANCE)], CHANCE)
  .meta({ description: 'from 0 to 1, or a percentage' })

export const NODE_ID_PATTERN = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/
const nodeId = pattern(NODE_ID_PATTERN, 'a name of letters, digits and inner hyphens, at most 63 of them')
const linkId = text('the name of a link', NAME_LENGTH_MAX, 1)
const END_PATTERN = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?::(?:\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5]))?$/
const end = pattern(END_PATTERN, 'a node, or a node and a port from 0 to 255 such as "switch:2"').meta({
  description: 'node, or node:port; without a port the first that is free',
})

const position = object({ x: z.number({ error: 'a number' }), y: z.number({ error: 'a number' }) }).meta({
  description: 'where it stands on the canvas',
})

const ADDRESS_PATTERN =
  /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\/(?:[1-9]|[12]\d|30)$/

const machine = object({
  id: nodeId.meta({ description: 'unique in the lab; also its host name' }),
  kind: z.literal('machine'),
  position: position.optional(),
  program: text('the path of a program', 1024, 1)
    .optional()
    .meta({ description: "what it runs first: in the lab's folder, else in the project, else one of the system's; without it the shell" }),
  args: list(text('an argument', TEXT_LENGTH_MAX), 'arguments', ARGS_MAX).optional(),
  memory: size.optional().meta({ description: '64MiB unless said' }),
  address: pattern(ADDRESS_PATTERN, 'an IPv4 address with its prefix, such as "10.0.0.1/24"')
    .optional()
    .meta({ description: 'static IPv4 address and prefix; without it link-local (RFC 3927)' }),
})

const relay = (kind: 'switch' | 'hub') => object({ id: nodeId, kind: z.literal(kind), position: position.optional() })

const impairments = {
  latency: duration.optional().meta({ description: '1ms unless said, at least 10us' }),
  jitter: duration.optional().meta({ description: 'the most that is added to the latency, evenly spread' }),
  bandwidth: rate.optional().meta({ description: '100Mbit unless said; "0bit" for no limit' }),
  loss: probability.optional(),
  duplicate: probability.optional(),
  reorder: probability.optional(),
  corrupt: probability.optional(),
  queue: size.optional().meta({ description: 'what may wait for the bandwidth; 128KiB unless said' }),
}

const link = object({
  id: linkId.optional().meta({ description: 'unique in the lab; A-B unless said' }),
  a: end,
  b: end,
  ...impairments,
})

const at = duration.meta({ description: 'virtual time since the lab started' })

/** What an object with a discriminator says of a value that is none; a wrong discriminator says by itself what it may be. */
const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null
const OBJECT = { error: ({ input }: { input?: unknown }) => (isObject(input) ? undefined : 'an object') }

const event = z.discriminatedUnion('do', [
  object({ at, do: z.literal('cut'), link: linkId }),
  object({ at, do: z.literal('heal'), link: linkId }),
  object({ at, do: z.literal('change'), link: linkId, ...impairments }),
  object({ at, do: z.literal('boot'), node: nodeId }),
  object({ at, do: z.literal('kill'), node: nodeId }),
  object({ at, do: z.literal('type'), node: nodeId, text: text('what is typed', TEXT_LENGTH_MAX, 1) }),
], OBJECT)

const check = object({
  name: text('a name', NAME_LENGTH_MAX, 1).optional(),
  console: nodeId.meta({ description: 'the machine whose console is read' }),
  contains: text('a text', TEXT_LENGTH_MAX, 1).optional(),
  matches: text('a regular expression', PATTERN_LENGTH_MAX, 1)
    .optional()
    .meta({ description: 'a regular expression of RE2, tried on each finished line' }),
  lacks: text('a text', TEXT_LENGTH_MAX, 1).optional(),
  from: duration.optional().meta({ description: 'what the console said before does not count' }),
  by: duration.optional().meta({ description: 'the end of the run unless said' }),
}).meta({ description: 'exactly one of contains, matches and lacks' })

export const labFileSchema = object({
  $schema: text('the address of the schema', 1024).optional(),
  version: z.literal(LAB_VERSION),
  name: text('a name', NAME_LENGTH_MAX, 1),
  seed: whole(0, SEED_MAX).optional().meta({ description: 'of everything random in the lab; 1 unless said' }),
  duration: duration.optional().meta({ description: 'how long a run takes; 30s unless said' }),
  nodes: list(z.discriminatedUnion('kind', [machine, relay('switch'), relay('hub')], OBJECT), 'nodes', NODES_MAX),
  links: list(link, 'links', LINKS_MAX).optional(),
  timeline: list(event, 'events', TIMELINE_MAX).optional(),
  checks: list(check, 'checks', CHECKS_MAX).optional(),
})

export type LabFile = z.infer<typeof labFileSchema>
export type LabFileLink = NonNullable<LabFile['links']>[number]
export type LabFileImpairments = Pick<LabFileLink, keyof typeof impairments>

/** The JSON Schema (2020-12) that editors check a `lab.json` with. */
export function labJsonSchema(): object {
  const { $schema, ...rest } = z.toJSONSchema(labFileSchema, { io: 'input' })
  return { $schema, title: 'Atoll lab', description: 'Machines, the network between them, and what happens to it.', ...rest }
}
