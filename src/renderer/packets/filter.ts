import type { CapturedFrame } from '../../protocol/lab.ts'
import type { DecodedFrame } from './fields.ts'

/** What a filter looks at. */
export interface FilterSubject {
  frame: CapturedFrame
  decoded: DecodedFrame
  /** The sentence and the fate as the list shows them. */
  info: string
  fate: string
}

export type FilterKey = 'proto' | 'node' | 'from' | 'to' | 'link' | 'fate' | 'port'

const KEYS: Record<string, FilterKey> = {
  proto: 'proto',
  protocol: 'proto',
  protocolo: 'proto',
  node: 'node',
  nodo: 'node',
  from: 'from',
  de: 'from',
  to: 'to',
  a: 'to',
  link: 'link',
  enlace: 'link',
  fate: 'fate',
  suerte: 'fate',
  port: 'port',
  puerto: 'port',
}

interface Term {
  isNegated: boolean
  key: FilterKey | null
  /** In lower case. */
  text: string
}

/**
 * Words that must all hold: `udp alice "hello there" !arp from:bob port:5353`. A word without a key is the name of a protocol in the
 * frame, a node, a link, or text of the line. `!` or `-` before it turns it round; quotes keep blanks together.
 */
export function parseFilter(text: string): (subject: FilterSubject) => boolean {
  const terms = [...text.matchAll(/([!-]?)(?:(\p{L}+):)?(?:"([^"]*)"?|(\S+))/gu)].flatMap(
    ([whole, negation, name, quoted, word]): Term[] => {
      const key = name === undefined ? null : (KEYS[name.toLowerCase()] ?? undefined)
      const isNegated = negation !== ''
      // Still being typed.
      if (/^\p{L}+:$/u.test(word ?? '')) return []
      // `http://x` has a colon and no key.
      if (key === undefined) return [{ isNegated, key: null, text: whole.slice(negation.length).toLowerCase() }]
      const value = (quoted ?? word).toLowerCase()
      return value === '' ? [] : [{ isNegated, key, text: value }]
    },
  )
  return (subject) => terms.every((term) => holds(term, subject) !== term.isNegated)
}

function holds({ key, text }: Term, { frame, decoded, info, fate }: FilterSubject): boolean {
  const has = (value: string): boolean => value.toLowerCase().includes(text)
  const is = (value: string): boolean => value.toLowerCase() === text
  const isProtocol = (): boolean => decoded.layers.some(({ protocol }) => is(protocol))
  const isFrom = (): boolean => is(frame.from) || is(decoded.source)
  const isTo = (): boolean => is(frame.to) || is(decoded.destination)
  switch (key) {
    case 'proto':
      return isProtocol()
    case 'from':
      return isFrom()
    case 'to':
      return isTo()
    case 'node':
      return isFrom() || isTo()
    case 'link':
      return is(frame.link)
    case 'fate':
      return is(frame.fate) || has(fate)
    case 'port':
      return decoded.layers.some(({ fields }) => fields.some(({ name, value }) => name.endsWith('Port') && value === text))
    case null:
      // A bare protocol means just that: `tcp` must not find every line that happens to speak of it.
      if (PROTOCOLS.has(text)) return isProtocol()
      return (
        is(frame.from) || is(frame.to) || is(frame.link) || is(frame.fate) || has(decoded.source) || has(decoded.destination) || has(info)
      )
  }
}

const PROTOCOLS: ReadonlySet<string> = new Set(['ethernet', 'arp', 'ipv4', 'ipv6', 'icmp', 'udp', 'tcp', 'dns', 'mdns'])
