/** DNS messages as far as names, types and first answers (RFC 1035; mDNS is RFC 6762, DNS-SD RFC 6763, SRV RFC 2782). */
import type { Field, Info, Layer } from './fields.ts'
import type { Reader } from './reader.ts'
import { hexText, ipv4Text, ipv6Text } from './reader.ts'

/** Labels in one name; a name of 255 bytes cannot have more. */
const LABELS_MAX = 128
/** Records shown of one message: 9000 bytes of the shortest records stay below it, and a forged count does not go beyond it. */
const RECORDS_MAX = 1024

const TYPES: Record<number, string> = {
  1: 'A',
  2: 'NS',
  5: 'CNAME',
  6: 'SOA',
  12: 'PTR',
  15: 'MX',
  16: 'TXT',
  28: 'AAAA',
  33: 'SRV',
  41: 'OPT',
  47: 'NSEC',
  255: 'ANY',
}
const CLASSES: Record<number, string> = { 1: 'IN', 255: 'ANY' }
const RESPONSE_CODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED']
/** Set in a class: the answer replaces what a cache holds (RFC 6762, 10.2), or a question wants unicast (5.4). */
const MDNS_TOP_BIT = 0x8000

interface Name {
  text: string
  /** Bytes that it takes where it stands. */
  length: number
}

/** A name at `offset`, following pointers (RFC 1035, 4.1.4), each of which must lead further back than all before. */
function readName(message: Reader, offset: number): Name {
  const labels: string[] = []
  let at = offset
  let length = 0
  let earliest = offset
  for (let count = 0; count < LABELS_MAX; count++) {
    const size = message.u8(at)
    if (size === 0) {
      if (length === 0) length = at + 1 - offset
      return { text: labels.length === 0 ? '.' : labels.join('.'), length }
    }
    if (size >= 0xc0) {
      const target = message.u16(at) & 0x3fff
      if (length === 0) length = at + 2 - offset
      if (target >= earliest) break
      earliest = target
      at = target
      continue
    }
    if (size > 63) break
    labels.push(new TextDecoder().decode(message.slice(at + 1, size)))
    at += size + 1
  }
  return { text: `${labels.join('.')}…`, length: length === 0 ? at + 1 - offset : length }
}

function typeText(type: number): string {
  return TYPES[type] ?? `TYPE${type}`
}

function classText(value: number): string {
  return CLASSES[value & ~MDNS_TOP_BIT] ?? `CLASS${value & ~MDNS_TOP_BIT}`
}

/** `length` bytes of data at `offset`, as the record's type writes them; null for types not known here. */
function dataText(message: Reader, type: number, offset: number, length: number): string | null {
  switch (type) {
    case 1:
      return length === 4 ? ipv4Text(message.slice(offset, 4)) : null
    case 28:
      return length === 16 ? ipv6Text(message.slice(offset, 16)) : null
    case 2:
    case 5:
    case 12:
      return readName(message, offset).text
    case 33:
      return `${readName(message, offset + 6).text}:${message.u16(offset + 4)}`
    case 16: {
      const strings: string[] = []
      for (let at = offset; at < offset + length; at += message.u8(at) + 1)
        strings.push(new TextDecoder().decode(message.slice(at + 1, message.u8(at))))
      return strings.filter((text) => text !== '').join(' ')
    }
    default:
      return null
  }
}

interface Section {
  fields: Field[]
  /** The first record in short, for the list. */
  first: string
  next: number
}

function readSection(message: Reader, name: Field['name'], count: number, from: number, isQuestion: boolean): Section {
  const fields: Field[] = []
  let first = ''
  let at = from
  for (let index = 0; index < Math.min(count, RECORDS_MAX); index++) {
    const start = at
    const owner = readName(message, at)
    at += owner.length
    const type = message.u16(at)
    const field = (fieldName: Field['name'], value: string, offset: number, length: number): Field => ({
      name: fieldName,
      value,
      start: message.start + offset,
      length,
    })
    const children = [
      field('recordName', owner.text, start, owner.length),
      field('recordType', typeText(type), at, 2),
      field('recordClass', classText(message.u16(at + 2)), at + 2, 2),
    ]
    let summary = `${owner.text} ${typeText(type)}`
    at += 4
    if (!isQuestion) {
      const length = message.u16(at + 4)
      children.push(field('recordTtl', `${message.u32(at)} s`, at, 4))
      const value = dataText(message, type, at + 6, length)
      if (length > 0) children.push(field('recordData', value ?? `${length} B`, at + 6, length))
      if (value !== null) summary += ` ${value}`
      message.slice(at + 6, length)
      at += 6 + length
    }
    if (index === 0) first = summary
    fields.push({ ...field(name, summary, start, at - start), children })
  }
  return { fields, first, next: at }
}

/** Reads as much as is well-formed: a message that breaks off keeps what came before. */
export function decodeDns(message: Reader, protocol: 'DNS' | 'mDNS'): { layer: Layer; info: Info; isMalformed: boolean } {
  const flags = message.u16(2)
  const isResponse = (flags & 0x8000) !== 0
  const code = flags & 0xf
  const fields: Field[] = [
    { name: 'identification', value: hexText(message.u16(0), 4), start: message.start, length: 2 },
    { name: 'flags', value: hexText(flags, 4), start: message.start + 2, length: 2 },
    { name: 'responseCode', value: RESPONSE_CODES[code] ?? String(code), start: message.start + 3, length: 1 },
  ]
  const counts = [4, 6, 8, 10].map((offset) => message.u16(offset))
  const firsts: string[] = []
  let at = 12
  let isMalformed = false
  try {
    for (const [index, name] of (['question', 'answer', 'authority', 'additional'] as const).entries()) {
      const section = readSection(message, name, counts[index], at, index === 0)
      fields.push(...section.fields)
      firsts.push(section.first)
      at = section.next
    }
  } catch {
    isMalformed = true
  }
  const [question = '', answer = '', authority = '', additional = ''] = firsts
  const subject = isResponse ? answer || authority || additional || question : question
  return {
    layer: { protocol, start: message.start, length: message.length, fields },
    info: { name: isResponse ? 'dnsResponse' : 'dnsQuery', values: { subject, answers: counts[1], questions: counts[0] } },
    isMalformed,
  }
}
