import { internetChecksum } from '../reader.ts'

/** Builds frames for tests, headers and checksums as their specifications say. */
const bytes = (...parts: (number[] | Uint8Array)[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]))
const u16 = (value: number): number[] => [(value >> 8) & 0xff, value & 0xff]
const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value & 0xffff)]

export const ALICE = { mac: [2, 0, 0, 0, 0, 1], ip: [10, 0, 0, 1] }
export const BOB = { mac: [2, 0, 0, 0, 0, 2], ip: [10, 0, 0, 2] }
const BROADCAST = [255, 255, 255, 255, 255, 255]

function ethernet(destination: number[], source: number[], type: number, payload: Uint8Array): Uint8Array {
  return bytes(destination, source, u16(type), payload)
}

export function arpFrame(operation: number, senderIp = ALICE.ip, targetIp = BOB.ip): Uint8Array {
  const packet = bytes(u16(1), u16(0x0800), [6, 4], u16(operation), ALICE.mac, senderIp, [0, 0, 0, 0, 0, 0], targetIp)
  return ethernet(BROADCAST, ALICE.mac, 0x0806, packet)
}

export function ipv4Frame(protocol: number, payload: Uint8Array, { fragment = 0 } = {}): Uint8Array {
  const header = bytes([0x45, 0], u16(20 + payload.length), u16(7), u16(fragment), [64, protocol, 0, 0], ALICE.ip, BOB.ip)
  header.set(u16(internetChecksum(header)), 10)
  return ethernet(BOB.mac, ALICE.mac, 0x0800, bytes(header, payload))
}

export function echoFrame(type: 0 | 8, sequence: number, payload = 'abcdefgh'): Uint8Array {
  const packet = bytes([type, 0, 0, 0], u16(1), u16(sequence), new TextEncoder().encode(payload))
  packet.set(u16(internetChecksum(packet)), 2)
  return ipv4Frame(1, packet)
}

function withPseudoHeader(protocol: number, packet: Uint8Array, checksumAt: number): Uint8Array {
  const pseudo = bytes(ALICE.ip, BOB.ip, [0, protocol], u16(packet.length))
  packet.set(u16(internetChecksum(pseudo, packet)), checksumAt)
  return packet
}

export function udpFrame(source: number, destination: number, payload: Uint8Array): Uint8Array {
  const packet = bytes(u16(source), u16(destination), u16(8 + payload.length), [0, 0], payload)
  return ipv4Frame(17, withPseudoHeader(17, packet, 6))
}

export function tcpFrame(flags: number, payload = new Uint8Array()): Uint8Array {
  const packet = bytes(u16(49152), u16(80), u32(1000), u32(2000), [0x50, flags], u16(8192), [0, 0, 0, 0], payload)
  return ipv4Frame(6, withPseudoHeader(6, packet, 16))
}

function nameBytes(name: string): number[] {
  return [...name.split('.').flatMap((label) => [label.length, ...new TextEncoder().encode(label)]), 0]
}

export function dnsQuery(name: string): Uint8Array {
  return bytes(u16(0), u16(0), u16(1), u16(0), u16(0), u16(0), nameBytes(name), u16(1), u16(1))
}

/** An answer whose owner is a pointer to the question. */
export function dnsAnswer(name: string, ip: number[]): Uint8Array {
  const question = bytes(nameBytes(name), u16(1), u16(1))
  return bytes(u16(0), u16(0x8400), u16(1), u16(1), u16(0), u16(0), question, [0xc0, 12], u16(1), u16(0x8001), u32(120), u16(4), ip)
}
