import type { SocketAddress } from '../../net/socket/datagram.ts'
import { DatagramSocket } from '../../net/socket/datagram.ts'
import { IPV4_BYTES_MAX, IpProtocol } from '../../net/wire/ipv4.ts'
import { read, write } from '../calls.ts'
import type { Call, Result } from '../context.ts'
import { Errno, KernelError } from '../errno.ts'
import {
  ADDRESS_BYTES, SocketOption, SocketType, encodeAddress, readAddress, receive, receiveBytes, send, sendBytes, setOption, socketAt,
} from '../socket-calls.ts'
import type { Vector } from './vectors.ts'
import { readVectors, transferVectors } from './vectors.ts'

/** Linux's socket calls where they differ from ours: addresses with a length, options by level, messages in parts. */

/** `struct sockaddr_in`: ours, and eight bytes of zeros. */
const SOCKADDR_IN_BYTES = 16
const SOL_SOCKET = 1
/** SO_TYPE, SO_ERROR, SO_PROTOCOL and SO_DOMAIN, which only can be asked for. */
const SocketFact = { TYPE: 3, ERROR: 4, PROTOCOL: 38, DOMAIN: 39 } as const
const AF_INET = 2
/** `struct timeval`: seconds and microseconds, two i64. */
const TIMEVAL_BYTES = 16
const INT_BYTES = 4
const NS_PER_S = 1_000_000_000
const NS_PER_US = 1000
/** `struct msghdr`. */
const MESSAGE_BYTES = 56
const MessageOffset = { NAME: 0, NAME_LENGTH: 8, VECTORS: 16, VECTOR_COUNT: 24, CONTROL_LENGTH: 40, FLAGS: 48 } as const
const MSG_TRUNC = 0x20
const UINT32_BYTES = 4

/** An address argument of `length` bytes. Throws EINVAL when that is too short for one. */
export function readSockaddr(call: Call, address: number, length: number): SocketAddress | null {
  if (length < SOCKADDR_IN_BYTES) throw new KernelError('EINVAL')
  return readAddress(call, address)
}

/** Stores an address as far as the program has room, and how long it is at `lengthAddress`. */
function storeSockaddr(call: Call, to: SocketAddress, address: number, lengthAddress: number): void {
  if (address === 0) return
  const { memory } = call.process
  const room = new DataView(memory.copyIn(lengthAddress, INT_BYTES).buffer).getInt32(0, true)
  if (room < 0) throw new KernelError('EINVAL')
  memory.copyOut(address, encodeSockaddr(to).subarray(0, room))
  memory.copyOut(lengthAddress, int32(SOCKADDR_IN_BYTES))
}

function encodeSockaddr(to: SocketAddress): Uint8Array {
  const bytes = new Uint8Array(SOCKADDR_IN_BYTES)
  bytes.set(encodeAddress(to).subarray(0, ADDRESS_BYTES))
  return bytes
}

const int32 = (value: number): Uint8Array => new Uint8Array(Int32Array.of(value).buffer)

export function sendTo(
  call: Call, fd: number, buffer: number, length: number, flags: number, address: number, addressLength: number,
): Result {
  return send(call, fd, buffer, length, flags, address === 0 ? null : readSockaddr(call, address, addressLength))
}

export function receiveFrom(
  call: Call, fd: number, buffer: number, length: number, flags: number, address: number, lengthAddress: number,
): Result {
  return receive(call, fd, buffer, length, flags, (from) => storeSockaddr(call, from, address, lengthAddress))
}

export function getSocketName(call: Call, fd: number, address: number, lengthAddress: number): number {
  storeSockaddr(call, socketAt(call, fd).local, address, lengthAddress)
  return 0
}

export function getPeerName(call: Call, fd: number, address: number, lengthAddress: number): number {
  const { remote } = socketAt(call, fd)
  if (remote === null) throw new KernelError('ENOTCONN')
  storeSockaddr(call, remote, address, lengthAddress)
  return 0
}

export function setSocketOption(call: Call, fd: number, level: number, name: number, value: number, length: number): number {
  socketAt(call, fd)
  if (level !== SOL_SOCKET) throw new KernelError('ENOPROTOOPT')
  const bytes = name === SocketOption.RCVTIMEO ? TIMEVAL_BYTES : INT_BYTES
  if (length < bytes) throw new KernelError('EINVAL')
  const view = new DataView(call.process.memory.copyIn(value, bytes).buffer)
  if (name !== SocketOption.RCVTIMEO) return setOption(call, fd, name, view.getInt32(0, true))
  const seconds = Number(view.getBigInt64(0, true))
  const microseconds = Number(view.getBigInt64(8, true))
  if (seconds < 0 || microseconds < 0 || microseconds >= NS_PER_S / NS_PER_US) throw new KernelError('EINVAL')
  return setOption(call, fd, name, seconds * NS_PER_S + microseconds * NS_PER_US)
}

export function getSocketOption(call: Call, fd: number, level: number, name: number, value: number, lengthAddress: number): number {
  const target = socketAt(call, fd)
  if (level !== SOL_SOCKET) throw new KernelError('ENOPROTOOPT')
  const { memory } = call.process
  const room = new DataView(memory.copyIn(lengthAddress, INT_BYTES).buffer).getInt32(0, true)
  if (room < 0) throw new KernelError('EINVAL')
  const bytes = encodeOption(target, name).subarray(0, room)
  memory.copyOut(value, bytes)
  memory.copyOut(lengthAddress, int32(bytes.length))
  return 0
}

function encodeOption(target: DatagramSocket, name: number): Uint8Array {
  switch (name) {
    case SocketOption.REUSEADDR:
      return int32(target.reuseAddress ? 1 : 0)
    case SocketOption.BROADCAST:
      return int32(target.mayBroadcast ? 1 : 0)
    case SocketOption.RCVTIMEO: {
      const ns = target.receiveTimeoutNs === Infinity ? 0 : target.receiveTimeoutNs
      const time = BigInt64Array.of(BigInt(Math.floor(ns / NS_PER_S)), BigInt(Math.floor((ns % NS_PER_S) / NS_PER_US)))
      return new Uint8Array(time.buffer)
    }
    case SocketFact.TYPE:
      return int32(SocketType.DGRAM)
    case SocketFact.ERROR: {
      const error = target.takeError()
      return int32(error === null ? 0 : Errno[error])
    }
    case SocketFact.PROTOCOL:
      return int32(target.protocol === 'udp' ? IpProtocol.UDP : IpProtocol.ICMP)
    case SocketFact.DOMAIN:
      return int32(AF_INET)
    default:
      throw new KernelError('ENOPROTOOPT')
  }
}

const isSocket = (call: Call, fd: number): boolean => call.process.descriptors.get(fd).node instanceof DatagramSocket

/** readv(2): of a socket, one datagram over all the parts. */
export function readVector(call: Call, fd: number, vectors: number, count: number): Result {
  if (!isSocket(call, fd)) return transferVectors(call, read, fd, vectors, count)
  return scatter(call, fd, readVectors(call, vectors, count), 0)
}

/** writev(2): to a socket, one datagram of all the parts. */
export function writeVector(call: Call, fd: number, vectors: number, count: number): Result {
  if (!isSocket(call, fd)) return transferVectors(call, write, fd, vectors, count)
  return sendBytes(call, fd, socketAt(call, fd), gather(call, readVectors(call, vectors, count)), 0, null)
}

export function sendMessage(call: Call, fd: number, message: number, flags: number): Result {
  const from = socketAt(call, fd)
  const view = new DataView(call.process.memory.copyIn(message, MESSAGE_BYTES).buffer)
  const name = u64(view, MessageOffset.NAME)
  const to = name === 0 ? null : readSockaddr(call, name, view.getUint32(MessageOffset.NAME_LENGTH, true))
  const bytes = gather(call, readVectors(call, u64(view, MessageOffset.VECTORS), u64(view, MessageOffset.VECTOR_COUNT)))
  return sendBytes(call, fd, from, bytes, flags, to)
}

/** Ancillary data is none. */
export function receiveMessage(call: Call, fd: number, message: number, flags: number): Result {
  socketAt(call, fd)
  const { memory } = call.process
  const view = new DataView(memory.copyIn(message, MESSAGE_BYTES).buffer)
  const vectors = readVectors(call, u64(view, MessageOffset.VECTORS), u64(view, MessageOffset.VECTOR_COUNT))
  const name = u64(view, MessageOffset.NAME)
  const room = view.getUint32(MessageOffset.NAME_LENGTH, true)
  return scatter(call, fd, vectors, flags, (from, isCut) => {
    if (name !== 0) {
      memory.copyOut(name, encodeSockaddr(from).subarray(0, room))
      view.setUint32(MessageOffset.NAME_LENGTH, SOCKADDR_IN_BYTES, true)
    }
    view.setBigUint64(MessageOffset.CONTROL_LENGTH, 0n, true)
    view.setUint32(MessageOffset.FLAGS, isCut ? MSG_TRUNC : 0, true)
    memory.copyOut(message, new Uint8Array(view.buffer))
  })
}

const u64 = (view: DataView, offset: number): number => view.getUint32(offset, true) + view.getUint32(offset + UINT32_BYTES, true) * 2 ** 32

const lengthOf = (vectors: readonly Vector[]): number => vectors.reduce((sum, { length }) => sum + length, 0)

/** The parts in one piece. Throws EMSGSIZE, EFAULT. */
function gather(call: Call, vectors: readonly Vector[]): Uint8Array {
  const length = lengthOf(vectors)
  if (length > IPV4_BYTES_MAX) throw new KernelError('EMSGSIZE')
  const bytes = new Uint8Array(length)
  let at = 0
  for (const vector of vectors) {
    bytes.set(call.process.memory.copyIn(vector.base, vector.length), at)
    at += vector.length
  }
  return bytes
}

/** Receives one datagram into the parts, the first one first. */
function scatter(
  call: Call, fd: number, vectors: readonly Vector[], flags: number, store: (from: SocketAddress, isCut: boolean) => void = () => {},
): Result {
  const { memory } = call.process
  return receiveBytes(call, fd, Math.min(lengthOf(vectors), IPV4_BYTES_MAX), flags, (bytes, from, whole) => {
    let at = 0
    for (const { base, length } of vectors) {
      memory.copyOut(base, bytes.subarray(at, at + length))
      at += length
    }
    store(from, whole > bytes.length)
  })
}
