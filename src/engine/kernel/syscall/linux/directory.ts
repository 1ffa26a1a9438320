import { kindBits } from '../../fs/node.ts'
import { readPath, resolvePath } from '../calls.ts'
import type { Call } from '../context.ts'
import { KernelError } from '../errno.ts'

const ACCESS_BITS = 7
const DIRENT_HEAD_BYTES = 19

/** getdents64(2): entries as struct linux_dirent64, as many as fit; 0 behind the last. */
export function getDirectoryEntries(call: Call, fd: number, buffer: number, length: number): number {
  const file = call.process.descriptors.get(fd)
  const entries = file.node.list()
  const out: number[] = []
  let { position } = file
  for (; position < entries.length; position++) {
    const [text, node] = entries[position]
    const name = new TextEncoder().encode(text)
    const bytes = Math.ceil((DIRENT_HEAD_BYTES + name.length + 1) / 8) * 8
    if (out.length + bytes > length) break
    const record = new Uint8Array(bytes)
    const view = new DataView(record.buffer)
    const { inode, kind } = node.attributes()
    view.setBigUint64(0, BigInt(inode), true)
    view.setBigUint64(8, BigInt(position + 1), true)
    view.setUint16(16, bytes, true)
    record[18] = kindBits[kind] >> 12
    record.set(name, DIRENT_HEAD_BYTES)
    out.push(...record)
  }
  if (out.length === 0 && position < entries.length) throw new KernelError('EINVAL')
  call.process.memory.copyOut(buffer, Uint8Array.from(out))
  file.position = position
  return out.length
}

/** access(2): there is one user, who may do everything; the file must be there. */
export function access(call: Call, path: number, mode: number): number {
  if ((mode & ~ACCESS_BITS) !== 0) throw new KernelError('EINVAL')
  resolvePath(call, readPath(call, path))
  return 0
}
