import { copyCost } from '../costs.ts'
import { OpenFlag } from '../fs/open-file.ts'
import type { SocketAddress } from '../net/socket/datagram.ts'
import { DatagramSocket } from '../net/socket/datagram.ts'
import { InterfaceFlag, viewInterfaces } from '../net/view.ts'
import { prefixMask } from '../net/wire/address.ts'
import { IPV4_BYTES_MAX, IpProtocol } from '../net/wire/ipv4.ts'
import { Wait } from '../process/wait.ts'
import type { Call, Result } from './context.ts'
import { KernelError } from './errno.ts'

/** Calls about sockets, as both doors have them. */

const AddressFamily = { UNSPEC: 0, INET: 2 } as const
export const SocketType = { STREAM: 1, DGRAM: 2 } as const
/** Added to a type; they have the values of the flags of OPEN. */
const TYPE_FLAGS = OpenFlag.NONBLOCK | OpenFlag.CLOEXEC
const MessageFlag = { PEEK: 0x2, TRUNC: 0x20, DONTWAIT: 0x40, NOSIGNAL: 0x4000 } as const
const SEND_FLAGS = MessageFlag.DONTWAIT | MessageFlag.NOSIGNAL
const RECEIVE_FLAGS = MessageFlag.PEEK | MessageFlag.TRUNC | MessageFlag.DONTWAIT | MessageFlag.NOSIGNAL
export const SocketOption = { REUSEADDR: 2, BROADCAST: 6, RCVTIMEO: 20 } as const

/** `struct atoll_address`, and the beginning of Linux's `struct sockaddr_in`. */
export const ADDRESS_BYTES = 8
const INTERFACE_BYTES = 96

/** The socket behind a descriptor. Throws EBADF, ENOTSOCK. */
export function socketAt(call: Call, fd: number): DatagramSocket {
  const { node } = call.process.descriptors.get(fd)
  if (!(node instanceof DatagramSocket)) throw new KernelError('ENOTSOCK')
  return node
}

/** An address in a program's memory; null for AF_UNSPEC. Throws EFAULT, EAFNOSUPPORT. */
export function readAddress(call: Call, address: number): SocketAddress | null {
  const view = new DataView(call.process.memory.copyIn(address, ADDRESS_BYTES).buffer)
  const family = view.getUint16(0, true)
  if (family === AddressFamily.UNSPEC) return null
  if (family !== AddressFamily.INET) throw new KernelError('EAFNOSUPPORT')
  return { port: view.getUint16(2), address: view.getUint32(4) }
}

export function encodeAddress({ address, port }: SocketAddress): Uint8Array {
  const view = new DataView(new ArrayBuffer(ADDRESS_BYTES))
  view.setUint16(0, AddressFamily.INET, true)
  view.setUint16(2, port)
  view.setUint32(4, address)
  return new Uint8Array(view.buffer)
}

export function socket(call: Call, domain: number, type: number, protocol: number): number {
  if (domain !== AddressFamily.INET) throw new KernelError('EAFNOSUPPORT')
  const flags = type & TYPE_FLAGS
  const isUdp = protocol === 0 || protocol === IpProtocol.UDP
  if ((type & ~TYPE_FLAGS) !== SocketType.DGRAM || (!isUdp && protocol !== IpProtocol.ICMP)) throw new KernelError('EPROTONOSUPPORT')
  return call.process.descriptors.open(call.kernel.network.sockets.create(isUdp ? 'udp' : 'icmp'), OpenFlag.RDWR | flags)
}

export function bind(call: Call, fd: number, to: SocketAddress | null): number {
  const local = socketAt(call, fd)
  if (to === null) throw new KernelError('EAFNOSUPPORT')
  local.bind(to)
  return 0
}

export function listen(call: Call, fd: number): number {
  socketAt(call, fd)
  throw new KernelError('EOPNOTSUPP')
}

export function accept(call: Call, fd: number): number {
  socketAt(call, fd)
  throw new KernelError('EOPNOTSUPP')
}

/** Whether the call must not sleep. */
function refusesToWait(call: Call, fd: number, flags: number): boolean {
  return (flags & MessageFlag.DONTWAIT) !== 0 || (call.process.descriptors.get(fd).flags & OpenFlag.NONBLOCK) !== 0
}

export function connect(call: Call, fd: number, to: SocketAddress | null): Result {
  const wait = socketAt(call, fd).connect(to)
  if (wait === null) return 0
  if (refusesToWait(call, fd, 0)) throw new KernelError('EAGAIN')
  return wait
}

/** Sends one datagram from a program's memory, to an address or with null to the peer. */
export function send(call: Call, fd: number, buffer: number, length: number, flags: number, to: SocketAddress | null): Result {
  const from = socketAt(call, fd)
  if (length > IPV4_BYTES_MAX) throw new KernelError('EMSGSIZE')
  return sendBytes(call, fd, from, call.process.memory.copyIn(buffer, length), flags, to)
}

export function sendBytes(
  call: Call, fd: number, from: DatagramSocket, bytes: Uint8Array, flags: number, to: SocketAddress | null,
): Result {
  if ((flags & ~SEND_FLAGS) !== 0) throw new KernelError('EOPNOTSUPP')
  const sent = from.send(bytes, to)
  if (sent instanceof Wait) {
    if (refusesToWait(call, fd, flags)) throw new KernelError('EAGAIN')
    return sent
  }
  call.kernel.charge(copyCost(bytes.length))
  return sent
}

/** For who does not ask where a datagram came from. */
export const noSender = (): void => {}

/**
 * Receives one datagram into a program's memory. `store` tells the program the sender; when it throws EFAULT, the datagram is still
 * there.
 */
export function receive(
  call: Call, fd: number, buffer: number, length: number, flags: number, store: (from: SocketAddress, bytes: number) => void = noSender,
): Result {
  call.process.memory.check(buffer, Math.min(length, IPV4_BYTES_MAX), 'write')
  return receiveBytes(call, fd, length, flags, (bytes, from, whole) => {
    call.process.memory.copyOut(buffer, bytes)
    store(from, whole)
  })
}

/** Takes one datagram, of which `store` gets the first `length` bytes, its sender, and how many bytes it had. */
export function receiveBytes(
  call: Call, fd: number, length: number, flags: number, store: (bytes: Uint8Array, from: SocketAddress, whole: number) => void,
): Result {
  const from = socketAt(call, fd)
  if ((flags & ~RECEIVE_FLAGS) !== 0) throw new KernelError('EOPNOTSUPP')
  const datagram = from.receive(true)
  if (datagram instanceof Wait) return waitFor(call, fd, from, flags, datagram)
  const { bytes } = datagram
  const taken = Math.min(bytes.length, length)
  store(bytes.subarray(0, taken), datagram.from, bytes.length)
  if ((flags & MessageFlag.PEEK) === 0) from.receive(false)
  call.kernel.charge(copyCost(taken))
  return (flags & MessageFlag.TRUNC) === 0 ? taken : bytes.length
}

/** Sleeps as long as the program lets it. */
function waitFor(call: Call, fd: number, from: DatagramSocket, flags: number, { channel }: Wait): Wait {
  if (refusesToWait(call, fd, flags)) throw new KernelError('EAGAIN')
  if (from.receiveTimeoutNs === Infinity) return new Wait(channel)
  const { state, kernel } = call
  if (state.deadlineNs === 0) state.deadlineNs = kernel.nowNs + from.receiveTimeoutNs
  if (kernel.nowNs >= state.deadlineNs) throw new KernelError('EAGAIN')
  return new Wait(channel, state.deadlineNs)
}

export function setOption(call: Call, fd: number, option: number, value: number): number {
  const target = socketAt(call, fd)
  switch (option) {
    case SocketOption.REUSEADDR:
      target.reuseAddress = value !== 0
      return 0
    case SocketOption.BROADCAST:
      target.mayBroadcast = value !== 0
      return 0
    case SocketOption.RCVTIMEO:
      if (value < 0 || !Number.isSafeInteger(call.kernel.nowNs + value)) throw new KernelError('EINVAL')
      target.receiveTimeoutNs = value === 0 ? Infinity : value
      return 0
    default:
      throw new KernelError('ENOPROTOOPT')
  }
}

/** Stores `struct atoll_interface`, see `structures` in table.ts. */
export function describeInterface(call: Call, index: number, address: number): number {
  const view = viewInterfaces(call.kernel.network).at(index < 0 ? Infinity : index)
  if (view === undefined) throw new KernelError('ENODEV')
  const bytes = new DataView(new ArrayBuffer(INTERFACE_BYTES))
  new Uint8Array(bytes.buffer).set(new TextEncoder().encode(view.name))
  bytes.setUint32(16, view.index, true)
  bytes.setUint32(20, view.flags.reduce((flags, name) => flags | InterfaceFlag[name], 0), true)
  bytes.setUint32(24, view.address)
  bytes.setUint32(28, view.address === 0 ? 0 : prefixMask(view.prefix))
  bytes.setUint32(32, view.gateway)
  bytes.setUint32(36, view.mtu, true)
  bytes.setUint16(40, Math.floor(view.mac / 2 ** 32))
  bytes.setUint32(42, view.mac % 2 ** 32)
  const { traffic } = view
  const counters = [
    traffic.receivedPackets, traffic.receivedBytes, traffic.receivedDropped, traffic.sentPackets, traffic.sentBytes, traffic.sentDropped,
  ]
  counters.forEach((value, at) => bytes.setBigUint64(48 + at * 8, BigInt(value), true))
  call.process.memory.copyOut(address, new Uint8Array(bytes.buffer))
  return 0
}
