import { describe, expect, it } from 'vitest'
import { testMemory } from '../memory/testing.ts'
import { Random } from '../../random/random.ts'
import { readCpio, writeCpio } from './cpio.ts'
import type { CpioEntry } from './cpio.ts'
import { NullDevice, ZeroDevice } from './devices.ts'
import { unpack } from './mount.ts'
import { DESCRIPTORS_MAX, Descriptors, OPEN_FILES_MAX, OpenFileTable } from './open-file.ts'
import { FILE_BYTES_MAX, RamFileSystem } from './ramfs.ts'
import { NAME_MAX, PATH_MAX, Vfs } from './vfs.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (from: unknown): string => (from instanceof Uint8Array ? new TextDecoder().decode(from) : String(from))

function fileSystem(frames = 64, framesMax = 32): RamFileSystem {
  const { memory, allocator } = testMemory(frames)
  return new RamFileSystem(memory, allocator, framesMax)
}

describe('RamFile', () => {
  it('behaves as an array of bytes does', () => {
    const system = fileSystem(64, 64)
    const file = system.root.createFile('f', 0o644, 0)
    const model: number[] = []
    const random = new Random(3)
    for (let round = 0; round < 400; round++) {
      const offset = random.next() % 20_000
      const data = random.bytes(random.next() % 6000)
      switch (random.next() % 3) {
        case 0:
          expect(file.write(offset, data, 1)).toBe(data.length)
          if (data.length > 0) while (model.length < offset) model.push(0)
          data.forEach((byte, index) => { model[offset + index] = byte })
          break
        case 1:
          expect(file.read(offset, data.length)).toEqual(Uint8Array.from(model.slice(offset, offset + data.length)))
          break
        default:
          file.truncate(offset, 1)
          model.length = Math.min(model.length, offset)
          while (model.length < offset) model.push(0)
      }
      expect(file.attributes().size).toBe(model.length)
    }
    file.truncate(0, 1)
    expect(system.framesUsed).toBe(0)
  })

  it('fills up with ENOSPC, after what still fitted', () => {
    const system = fileSystem(64, 2)
    const file = system.root.createFile('f', 0o644, 0)
    expect(file.write(0, new Uint8Array(10_000), 0)).toBe(8192)
    expect(() => file.write(8192, bytes('x'), 0)).toThrow('ENOSPC')
    expect(file.attributes().size).toBe(8192)
  })

  it('takes no more of the host for a hole than for nothing', () => {
    const system = fileSystem()
    const before = process.memoryUsage().heapUsed
    for (let index = 0; index < 30; index++) system.root.createFile(`${index}`, 0o644, 0).write(FILE_BYTES_MAX - 1, bytes('x'), 0)
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(30 << 20)
    expect(system.framesUsed).toBe(30)
  })

  it('has no size below nothing', () => {
    const file = fileSystem().root.createFile('f', 0o644, 0)
    file.write(0, new Uint8Array(10_000), 0)
    expect(() => file.truncate(-8192, 0)).toThrow('EINVAL')
    expect(file.attributes().size).toBe(10_000)
  })

  it('has a largest size', () => {
    const file = fileSystem().root.createFile('f', 0o644, 0)
    expect(() => file.write(FILE_BYTES_MAX, bytes('x'), 0)).toThrow('EFBIG')
    expect(() => file.truncate(FILE_BYTES_MAX + 1, 0)).toThrow('EFBIG')
  })
})

describe('RamDirectory', () => {
  it('counts its own files alone: what hangs in it from elsewhere costs no inode', () => {
    const system = fileSystem()
    const inodes = (): unknown => Reflect.get(system, 'nodes')
    const before = inodes()
    system.root.add('null', new NullDevice(2), 0)
    system.root.createFile('f', 0o644, 0)
    for (const name of ['null', 'f']) system.root.remove(name, false, 0)
    expect(inodes()).toBe(before)
  })
})

describe('Vfs', () => {
  const system = fileSystem()
  const vfs = new Vfs(system.root)
  const home = system.root.createDirectory('home', 0o755, 0)
  home.createFile('note', 0o644, 0).write(0, bytes('hello'), 0)

  it('walks', () => {
    for (const path of ['/home/note', '//home//note', '/./home/../home/note', '/../../home/note'])
      expect(text(vfs.resolve(path, '/').read(0, 100))).toBe('hello')
    expect(text(vfs.resolve('note', '/home').read(0, 100))).toBe('hello')
    for (const path of ['/', '.', '..', 'home/..', '/home/.']) expect(vfs.resolve(path, '/').kind).toBe('directory')
  })

  it('says what is wrong', () => {
    const failures: Record<string, string> = {
      '': 'ENOENT', '/nope': 'ENOENT', '/nope/note': 'ENOENT',
      '/home/note/x': 'ENOTDIR', '/home/note/': 'ENOTDIR', '/home/note/..': 'ENOTDIR',
      [`/${'n'.repeat(NAME_MAX + 1)}`]: 'ENAMETOOLONG', ['/a'.repeat(PATH_MAX)]: 'ENAMETOOLONG',
    }
    for (const [path, code] of Object.entries(failures)) expect(() => vfs.resolve(path, '/'), path).toThrow(code)
    expect(() => vfs.resolve(`/${'é'.repeat(NAME_MAX / 2 + 1)}`, '/')).toThrow('ENAMETOOLONG')
  })
})

describe('cpio', () => {
  const entries: CpioEntry[] = [
    { path: 'bin', kind: 'directory', permissions: 0o755, data: new Uint8Array(0) },
    { path: 'bin/a', kind: 'file', permissions: 0o755, data: bytes('abc') },
    { path: 'ñandú.txt', kind: 'file', permissions: 0o600, data: bytes('avestruz') },
    { path: 'empty', kind: 'file', permissions: 0o644, data: new Uint8Array(0) },
  ]

  it('reads what it wrote', () => {
    expect(readCpio(writeCpio(entries))).toEqual(entries)
  })

  it('says where an archive breaks, whatever the bytes', () => {
    const archive = writeCpio(entries)
    expect(() => readCpio(archive.slice(0, 200))).toThrow('truncated')
    expect(() => readCpio(bytes('x'.repeat(200)))).toThrow('no header at byte 0')
    const random = new Random(9)
    for (let round = 0; round < 3000; round++) {
      const broken = archive.slice(0, random.next() % archive.length)
      if (broken.length > 0) broken[random.next() % broken.length] = random.next()
      expect(() => readCpio(broken)).toThrow(/^cpio archive/)
    }
  })

  it('unpacks into folders it makes, later entries replacing earlier ones', () => {
    const system = fileSystem()
    const again: CpioEntry = { path: '/deep/er/f', kind: 'file', permissions: 0o644, data: bytes('two') }
    expect(unpack(system, [...entries, { ...again, data: bytes('first') }, again], 5)).toEqual({ files: 5, bytes: 19 })
    const file = new Vfs(system.root).resolve('/deep/er/f', '/')
    expect([text(file.read(0, 100)), file.attributes().modifiedNs]).toEqual(['two', 5])
  })
})

describe('descriptors', () => {
  it('are the lowest free numbers, up to a bound', () => {
    const table = new OpenFileTable()
    const descriptors = new Descriptors(table)
    const node = new NullDevice(1)
    for (let fd = 0; fd < DESCRIPTORS_MAX; fd++) expect(descriptors.open(node, 0)).toBe(fd)
    expect(() => descriptors.open(node, 0)).toThrow('EMFILE')
    descriptors.close(7)
    descriptors.close(3)
    expect(descriptors.open(node, 0)).toBe(3)
    expect(() => descriptors.close(7)).toThrow('EBADF')
    for (const fd of [-1, 7, DESCRIPTORS_MAX, NaN]) expect(() => descriptors.get(fd)).toThrow('EBADF')
    descriptors.closeAll()
    expect(table.count).toBe(0)
  })

  it('share open files, which are bounded in all', () => {
    const table = new OpenFileTable()
    const first = new Descriptors(table)
    const file = first.get(first.open(new NullDevice(1), 0))
    first.share(file)
    first.close(0)
    expect(table.count).toBe(1)
    first.close(1)
    expect(table.count).toBe(0)
    while (table.count < OPEN_FILES_MAX) table.open(new NullDevice(1), 0)
    expect(() => table.open(new NullDevice(1), 0)).toThrow('ENFILE')
  })
})

describe('devices', () => {
  it('null and zero', () => {
    expect(new NullDevice(1).read()).toHaveLength(0)
    expect(new NullDevice(1).write(0, bytes('abc'))).toBe(3)
    expect(new ZeroDevice(2).read(0, 10)).toEqual(new Uint8Array(10))
  })
})
