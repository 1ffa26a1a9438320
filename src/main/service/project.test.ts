import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { displayLocation, openProject } from './project-folder.ts'
import { refusePath } from './project-path.ts'
import { Project, TEXT_BYTES_MAX } from './project.ts'

let scratch: string
let project: Project

beforeEach(async () => {
  scratch = await realpath(await mkdtemp(join(tmpdir(), 'atoll-project-')))
  await mkdir(join(scratch, 'p'))
  project = new Project(join(scratch, 'p'))
  await writeFile(join(scratch, 'secret'), 'secret')
})
afterEach(() => rm(scratch, { recursive: true }))

const inside = (name: string): string => join(scratch, 'p', name)

describe('paths', () => {
  it.each([
    ['', 'empty'],
    ['/etc/passwd', 'absolute'],
    ['..', "a part '..'"],
    ['../secret', "a part '..'"],
    ['a/../../secret', "a part '..'"],
    ['./a', "a part '.'"],
    ['a//b', 'an empty part'],
    ['a/', 'an empty part'],
    ['..\\secret', 'not every system allows'],
    ['C:/Windows', 'not every system allows'],
    ['a\0b', 'not every system allows'],
    ['nul.c', 'not every system allows'],
    ['a /b', 'not every system allows'],
    ['.git/config', 'start with a dot'],
    ['a/'.repeat(600) + 'b', 'longer than'],
  ])('%j is refused', async (path, reason) => {
    expect(refusePath(path)).toContain(reason)
    await expect(project.read(path)).rejects.toThrow(reason)
    await expect(project.create(path, '')).rejects.toThrow(reason)
    await expect(project.rename(path, 'x')).rejects.toThrow(reason)
    await expect(project.rename('x', path)).rejects.toThrow(reason)
    await expect(project.delete(path)).rejects.toThrow(reason)
    expect(await project.write(path, '')).toMatchObject({ ok: false, reason: 'error', message: expect.stringContaining(reason) })
  })

  it.each(['hello.c', 'a/b/c.h', 'año/ñandú.c', 'a b.c', 'console.c'])('%j is a path', (path) => {
    expect(refusePath(path)).toBeUndefined()
  })

  it('follows no link out of the project', async () => {
    await symlink(scratch, inside('out'))
    await symlink(join(scratch, 'secret'), inside('link'))
    await symlink(join(scratch, 'nowhere'), inside('dangling'))
    for (const path of ['out/secret', 'link', 'out/new/file']) {
      await expect(project.read(path)).rejects.toThrow('a symbolic link leads out of it')
      await expect(project.create(path, 'x')).rejects.toThrow('a symbolic link leads out of it')
    }
    await expect(project.create('dangling', 'x')).rejects.toThrow('it already exists')
    await project.write('dangling', 'x')
    expect(await readdir(scratch)).toEqual(['p', 'secret'])
    expect(await readFile(join(scratch, 'secret'), 'utf8')).toBe('secret')
  })
})

describe('list', () => {
  it('sorts, puts parents first, and leaves out links and hidden names', async () => {
    await mkdir(inside('include'))
    await mkdir(inside('.git'))
    await mkdir(inside('node_modules'))
    await writeFile(inside('include/a.h'), 'abc')
    await writeFile(inside('z.c'), '')
    await writeFile(inside('a.c'), 'x')
    await symlink(join(scratch, 'secret'), inside('link'))
    expect(await project.list()).toEqual([
      { path: 'a.c', kind: 'file', size: 1 },
      { path: 'include', kind: 'directory', size: 0 },
      { path: 'include/a.h', kind: 'file', size: 3 },
      { path: 'z.c', kind: 'file', size: 0 },
    ])
  })

  it('says when the folder is gone', async () => {
    await rm(inside(''), { recursive: true })
    await expect(project.list()).rejects.toThrow('there is no such file')
    await mkdir(inside(''))
  })
})

describe('read', () => {
  it('refuses what is no text, a folder, too large or missing', async () => {
    await writeFile(inside('bin'), new Uint8Array([0xff, 0xfe, 0x00]))
    await writeFile(inside('large'), new Uint8Array(TEXT_BYTES_MAX + 1))
    await mkdir(inside('folder'))
    await expect(project.read('bin')).rejects.toThrow('cannot open bin as text: it is not UTF-8')
    await expect(project.read('large')).rejects.toThrow('cannot read large: it has 2.0 MiB, at most 2.0 MiB are read')
    await expect(project.read('folder')).rejects.toThrow('cannot read folder: it is a folder')
    await expect(project.read('missing.c')).rejects.toThrow('cannot read missing.c: there is no such file')
  })

  it('keeps a byte order mark, so that saving changes nothing else', async () => {
    await writeFile(inside('bom.c'), '\ufeffint x;')
    expect((await project.read('bom.c')).text).toBe('\ufeffint x;')
  })
})

describe('write', () => {
  it('gives versions that follow the content', async () => {
    const first = await project.write('a.c', 'one')
    expect(first).toMatchObject({ ok: true })
    expect(await project.read('a.c')).toEqual({ text: 'one', version: first.ok && first.version })
    const { version } = await project.read('a.c')
    expect(await project.write('a.c', 'two', version)).toMatchObject({ ok: true })
    expect(await project.write('a.c', 'one')).toEqual({ ok: true, version })
  })

  it('does not overwrite a change made elsewhere', async () => {
    await project.write('a.c', 'one')
    const { version } = await project.read('a.c')
    await writeFile(inside('a.c'), 'theirs')
    const result = await project.write('a.c', 'mine', version)
    expect(result).toEqual({ ok: false, reason: 'changed-on-disk', current: await project.read('a.c') })
    expect(await readFile(inside('a.c'), 'utf8')).toBe('theirs')
    const theirs = await project.read('a.c')
    expect(await project.write('a.c', 'mine', theirs.version)).toMatchObject({ ok: true })
  })

  it('takes the same change made twice as saved', async () => {
    await project.write('a.c', 'one')
    const { version } = await project.read('a.c')
    await writeFile(inside('a.c'), 'two')
    expect(await project.write('a.c', 'two', version)).toMatchObject({ ok: true })
  })

  it('makes a file again that was deleted meanwhile', async () => {
    await project.write('a.c', 'one')
    const { version } = await project.read('a.c')
    await rm(inside('a.c'))
    expect(await project.write('a.c', 'mine', version)).toMatchObject({ ok: true })
  })

  it('lets one of two writers from the same version through', async () => {
    await project.write('a.c', 'base')
    const { version } = await project.read('a.c')
    const results = await Promise.all(['x', 'y', 'z'].map((text) => project.write('a.c', text, version)))
    expect(results.map(({ ok }) => ok)).toEqual([true, false, false])
  })

  it('keeps permissions, leaves no temporary files, and refuses large texts', async () => {
    await project.write('run.sh', 'a')
    await chmod(inside('run.sh'), 0o755)
    await project.write('run.sh', 'b')
    expect((await stat(inside('run.sh'))).mode & 0o777).toBe(0o755)
    expect(await project.write('big.c', 'x'.repeat(TEXT_BYTES_MAX + 1))).toMatchObject({
      ok: false,
      reason: 'error',
      message: expect.stringContaining('cannot save big.c'),
    })
    await mkdir(inside('folder'))
    expect(await project.write('folder', 'x')).toMatchObject({ ok: false, reason: 'error' })
    expect(await readdir(inside(''))).toEqual(['folder', 'run.sh'])
  })
})

describe('create, rename, delete', () => {
  it('create makes folders and replaces nothing', async () => {
    await project.create('new/deep/a.c', 'x')
    await expect(project.create('new/deep/a.c', 'y')).rejects.toThrow('cannot create new/deep/a.c: it already exists')
    expect((await project.read('new/deep/a.c')).text).toBe('x')
  })

  it('rename moves, and replaces nothing', async () => {
    await project.create('a.c', 'a')
    await project.create('b.c', 'b')
    await expect(project.rename('a.c', 'b.c')).rejects.toThrow('cannot rename a.c: b.c already exists')
    await project.rename('a.c', 'sub/c.c')
    expect((await project.read('sub/c.c')).text).toBe('a')
    await expect(project.rename('sub', 'sub/inner')).rejects.toThrow('is inside it')
    await expect(project.rename('a.c', 'd.c')).rejects.toThrow('cannot rename a.c: there is no such file')
  })

  it('delete takes files and empty folders', async () => {
    await project.create('sub/a.c', 'a')
    await expect(project.delete('sub')).rejects.toThrow('cannot delete sub: the folder is not empty')
    await project.delete('sub/a.c')
    await project.delete('sub')
    expect(await project.list()).toEqual([])
  })
})

describe('openProject', () => {
  it('fills a new or an empty folder and touches no other', async () => {
    await mkdir(join(scratch, 'templates/include'), { recursive: true })
    await writeFile(join(scratch, 'templates/hello.c'), 'template')
    await writeFile(join(scratch, 'templates/include/atoll.h'), '')
    const templates = join(scratch, 'templates')
    const fresh = await openProject(join(scratch, 'deep/fresh'), templates)
    expect((await fresh.list()).map(({ path }) => path)).toEqual(['hello.c', 'include', 'include/atoll.h'])
    await fresh.write('hello.c', 'mine')
    expect(await (await openProject(join(scratch, 'deep/fresh'), templates)).read('hello.c')).toMatchObject({ text: 'mine' })
    expect((await (await openProject(inside(''), templates)).list()).length).toBe(3)
    await expect(openProject(join(scratch, 'secret'), templates)).rejects.toThrow('cannot open the project')
    expect((await readdir(scratch)).sort()).toEqual(['deep', 'p', 'secret', 'templates'])
  })

  it('is filled once when two open it at the same time', async () => {
    await mkdir(join(scratch, 'templates'))
    await writeFile(join(scratch, 'templates/hello.c'), 'template')
    await Promise.all([1, 2, 3].map(() => openProject(join(scratch, 'new'), join(scratch, 'templates'))))
    expect(await readdir(join(scratch, 'new'))).toEqual(['hello.c'])
  })
})

describe('displayLocation', () => {
  it('shortens the home folder', () => {
    expect(displayLocation('/home/ana/Atoll', '/home/ana')).toBe('~/Atoll')
    expect(displayLocation('/home/anabel', '/home/ana')).toBe('/home/anabel')
  })
})
