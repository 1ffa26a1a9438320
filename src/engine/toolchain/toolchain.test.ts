import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { readDebugInfo } from './debug-info.ts'
import { findSection, readSections, readSymbols } from './elf.ts'
import { DIAGNOSTICS_MAX } from './diagnostic.ts'
import { INSTALLATION, SHARED_CACHE, buildText, freshToolchain, temporaryFolder } from './testing/folders.ts'
import type { Build } from './toolchain.ts'
import { Toolchain } from './toolchain.ts'
import { findCompiler } from './zig.ts'

const EXIT = '#include <atoll.h>\nvoid _start(void) { sys_exit(0); }\n'

function output(build: Build): Uint8Array {
  if (!build.ok) throw new Error(`not built: ${build.message ?? ''} ${JSON.stringify(build.diagnostics)}`)
  return build.output
}

let toolchain: Toolchain
beforeEach(() => {
  toolchain = freshToolchain()
})

describe('a program on Atoll\'s system calls', () => {
  test('is an executable whose segments are on pages of their own, never writable and executable', async () => {
    const elf = output(await buildText(toolchain, 'a.c', `${EXIT}int counter = 1; int zeroes[5000];`))
    const view = new DataView(elf.buffer, elf.byteOffset, elf.byteLength)
    expect(view.getUint16(16, true)).toBe(2) // ET_EXEC
    const segments = Array.from({ length: view.getUint16(56, true) }, (_, index) => Number(view.getBigUint64(32, true)) + index * 56)
      .filter(at => view.getUint32(at, true) === 1)
      .map(at => ({
        flags: view.getUint32(at + 4, true), first: view.getBigUint64(at + 16, true) >> 12n,
        last: (view.getBigUint64(at + 16, true) + view.getBigUint64(at + 40, true) - 1n) >> 12n
      }))
    expect(segments.map(({ flags }) => flags).sort()).toEqual([4, 5, 6])
    segments.sort((a, b) => Number(a.first - b.first)).reduce((before, after) => {
      expect(after.first).toBeGreaterThan(before.last)
      return after
    })
  })

  test('is entered through start.S when _start is a C function, and directly when it is not', async () => {
    const entry = (elf: Uint8Array): string | undefined => {
      const address = new DataView(elf.buffer, elf.byteOffset).getBigUint64(24, true)
      return readDebugInfo(elf).locate(address)?.function
    }
    expect(entry(output(await buildText(toolchain, 'c.c', EXIT)))).toBe('atoll_start')
    expect(entry(output(await buildText(toolchain, 's.S', '.globl _start\n_start: ud2\n')))).toBe('_start')
    expect(entry(output(await buildText(toolchain, 'n.c', '__attribute__((naked)) void _start(void) { __asm__("ud2"); }')))).toBe('_start')
    expect(entry(output(await buildText(toolchain, 'i.c', '__asm__(".globl _start\\n_start: ud2");')))).toBe('_start')
  })

  test('may call its own main', async () => {
    const text = `${EXIT.replace('sys_exit(0)', 'sys_exit(main())')}`.replace('void _start', 'int main(void) { return 3; }\nvoid _start')
    expect((await buildText(toolchain, 'a.c', text)).ok).toBe(true)
  })

  test('may hide _start from everybody but the preprocessor', async () => {
    const build = await buildText(toolchain, 'a.c', '#define GLUE(a, b) a##b\nvoid GLUE(_st, art)(void) { for (;;); }')
    expect(readSymbols(readSections(output(build))).some(({ name }) => name === '_start')).toBe(true)
  })

  test('gets the memory functions that the compiler calls on its own, and no others', async () => {
    const text = `#include <atoll.h>
      struct big { char bytes[5000]; };
      extern struct big a, b;
      struct big a, b;
      void _start(void) { a = b; sys_exit(0); }`
    const names = readSymbols(readSections(output(await buildText(toolchain, 'a.c', text)))).map(({ name }) => name)
    expect(names).toContain('memcpy')
    const plain = readSymbols(readSections(output(await buildText(toolchain, 'b.c', EXIT)))).map(({ name }) => name)
    expect(plain).not.toContain('memcpy')
  })

  test('may bring memory functions of its own', async () => {
    const text = `${EXIT}void *memcpy(void *to, const void *from, size_t n) {
      while (n--) ((char *)to)[n] = ((char *)from)[n];
      return to;
    }`
    expect((await buildText(toolchain, 'a.c', text)).ok).toBe(true)
  })

  test('is the same whenever and wherever it is built', async () => {
    const text = `${EXIT}const char when[] = __DATE__ __TIME__ __FILE__;`
    const [here, there] = [temporaryFolder(), temporaryFolder()]
    const first = output(await freshToolchain().build({ path: 'user/a.c', file: join(here, 'user', 'a.c'), text }))
    const second = output(await freshToolchain().build({ path: 'user/a.c', file: join(there, 'user', 'a.c'), text }))
    expect(Buffer.from(first).equals(Buffer.from(second))).toBe(true)
    expect(Buffer.from(first).includes('user/a.c')).toBe(true)
    expect(Buffer.from(first).includes(here)).toBe(false)
  })

  test('may be made of several sources', async () => {
    const sources = [
      { path: 'a.c', file: '/nowhere/a.c', text: '#include <atoll.h>\nint answer(void);\nvoid _start(void) { sys_exit(answer()); }' },
      { path: 'b.S', file: '/nowhere/b.S', text: '.globl answer\nanswer: movl $42, %eax\n ret\n' }
    ]
    expect((await toolchain.build(sources)).ok).toBe(true)
    expect(await toolchain.build(sources.slice(1))).toMatchObject({ ok: false, message: expect.stringContaining('neither _start') })
  })
})

describe('a POSIX program', () => {
  test('is linked with musl', async () => {
    const shared = new Toolchain({ installation: INSTALLATION, cacheDirectory: SHARED_CACHE })
    await shared.prepareMusl()
    const elf = output(await shared.build({ path: 'user/posix_hello.c', file: join(INSTALLATION, 'user', 'posix_hello.c') }))
    const names = readSymbols(readSections(elf)).map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['_start', 'main', 'printf', '__libc_start_main']))
  }, 600_000)
})

describe('diagnostics', () => {
  test('errors and warnings with place, range, option and fix', async () => {
    const text = 'const char s[] = "ñ🐚"; int x = 1\nvoid _start(void) {\n\n  x = "é" + missing;\n}\n'
    const build = await buildText(toolchain, 'user/a.c', text)
    expect(build).toMatchObject({ ok: false, cached: false, message: undefined })
    expect(build.diagnostics).toEqual([
      {
        path: 'user/a.c', line: 1, column: 34, endLine: 1, endColumn: 35, severity: 'error',
        message: "expected ';' after top level declarator", fix: { line: 1, column: 34, endLine: 1, endColumn: 34, text: ';' }
      },
      {
        path: 'user/a.c', line: 4, column: 13, endLine: 4, endColumn: 20, severity: 'error',
        message: "use of undeclared identifier 'missing'"
      }
    ])
  })

  test('proposals of notes, with what they leave as it is', async () => {
    const { diagnostics } = await buildText(toolchain, 'a.c', 'void f(int x) {\n  if (x = 2) {}\n}\n')
    expect(diagnostics).toMatchObject([
      { line: 2, column: 9, severity: 'warning', code: '-Wparentheses' },
      { severity: 'note', fix: { line: 2, column: 7, endLine: 2, endColumn: 12, text: '(x = 2)' } },
      { severity: 'note', fix: { line: 2, column: 9, endLine: 2, endColumn: 10, text: '==' } }
    ])
  })

  test('those of a header name the header', async () => {
    const project = temporaryFolder()
    mkdirSync(join(project, 'user'))
    writeFileSync(join(project, 'user', 'mine.h'), '/* ñ */ int f(void) { retrun 1; }\n')
    const build = await toolchain.build({ path: 'user/a.c', file: join(project, 'user', 'a.c'), text: `#include "mine.h"\n${EXIT}` })
    expect(build.diagnostics).toMatchObject([{ path: 'user/mine.h', line: 1, column: 23, endColumn: 29 }])
  })

  test('a header that is not there', async () => {
    expect((await buildText(toolchain, 'a.c', `#include "nope.h"\n${EXIT}`)).diagnostics).toMatchObject([
      { line: 1, column: 10, endColumn: 18, severity: 'error', message: "'nope.h' file not found" }
    ])
  })

  test('warnings do not stop the build, and come again from the cache', async () => {
    const text = `${EXIT}static int unused;\n`
    const expected = [expect.objectContaining({ line: 3, column: 12, severity: 'warning', code: '-Wunused-variable' })]
    expect(await buildText(toolchain, 'a.c', text)).toMatchObject({ ok: true, cached: false, diagnostics: expected })
    expect(await buildText(toolchain, 'a.c', text)).toMatchObject({ ok: true, cached: true, diagnostics: expected })
  })

  test('of the assembler', async () => {
    const build = await buildText(toolchain, 'a.S', '#define REGISTER %rxa\n.globl _start\n_start:\n  movq $1, REGISTER\n  frob %rax\n')
    expect(build.diagnostics).toMatchObject([
      { path: 'a.S', line: 4, severity: 'error', message: 'invalid register name' },
      { path: 'a.S', line: 5, column: 3, endColumn: 7, message: "invalid instruction mnemonic 'frob'" }
    ])
  })

  test('of inline assembly', async () => {
    const { diagnostics } = await buildText(toolchain, 'a.c', 'void _start(void) {\n  __asm__("frob %eax");\n}\n')
    expect(diagnostics).toMatchObject([{ path: 'a.c', line: 2, severity: 'error', message: expect.stringContaining('frob') }])
  })

  test('of the linker, where the symbol is used', async () => {
    const build = await buildText(toolchain, 'user/a.c', 'int missing(void);\nint ñ;\nvoid _start(void) {\n  ñ = missing();\n}\n')
    expect(build).toMatchObject({ ok: false, message: undefined })
    expect(build.diagnostics).toEqual([
      { path: 'user/a.c', line: 4, column: 7, endLine: 4, endColumn: 14, severity: 'error', message: 'undefined symbol: missing' }
    ])
  })

  test('of the linker, where two sources define one thing', async () => {
    const build = await toolchain.build([
      { path: 'a.c', file: '/nowhere/a.c', text: `${EXIT}int twice(void) { return 1; }` },
      { path: 'b.c', file: '/nowhere/b.c', text: '\nint twice(void) { return 2; }' }
    ])
    expect(build.diagnostics).toMatchObject([
      { path: 'a.c', line: 3, column: 5, endColumn: 10, message: 'duplicate symbol: twice' }, { path: 'b.c', line: 2, column: 5 }
    ])
  })

  test('a source without a beginning', async () => {
    const build = await buildText(toolchain, 'a.c', 'static int x;')
    expect(build).toMatchObject({ ok: false, diagnostics: [{ code: '-Wunused-variable' }] })
    expect(build.message).toBe(
      "a.c defines neither _start, where a program on Atoll's system calls begins, nor main, where a POSIX program begins"
    )
  })

  test('a source that cannot be read, and one that is none', async () => {
    expect((await toolchain.build({ path: 'a.c', file: '/no/such/a.c' })).message).toMatch(/^a\.c cannot be read: ENOENT/)
    for (const name of ['a.rs', 'a.h', 'Makefile'])
      expect(await buildText(toolchain, name, '')).toMatchObject({
        ok: false, message: `${name} is not a program's source; expected a .c, .S, .s or .wat file`
      })
    expect(await toolchain.build([])).toMatchObject({ ok: false, message: 'nothing to build' })
  })

  test('of WAT', async () => {
    expect(await buildText(toolchain, 'm.wat', '(module (func (call $f)))')).toMatchObject({
      ok: false, diagnostics: [{ path: 'm.wat', line: 1, column: 21 }]
    })
    const build = await buildText(toolchain, 'm.wat', '(module)')
    expect(build).toMatchObject({ ok: true, kind: 'wasm' })
    expect(WebAssembly.validate(output(build) as Uint8Array<ArrayBuffer>)).toBe(true)
  })

  test('thousands of errors are cut', async () => {
    const wrong = Array.from({ length: 20_000 }, (_, index) => `int f${index}(void) { return missing; }\n`)
    const build = await buildText(toolchain, 'a.c', EXIT + wrong.join(''))
    expect(build.ok).toBe(false)
    expect(build.diagnostics.length).toBeGreaterThan(100)
    expect(build.diagnostics.length).toBeLessThanOrEqual(DIAGNOSTICS_MAX)
  })

  test('thousands of warnings are cut, and the program is built', async () => {
    const unused = Array.from({ length: 5000 }, (_, index) => `static int unused${index};\n`)
    const build = await buildText(toolchain, 'a.c', EXIT + unused.join(''))
    expect(build.ok).toBe(true)
    expect(build.diagnostics).toHaveLength(DIAGNOSTICS_MAX)
  })

  test.each([
    ['an endless include', '#include __FILE__\n'],
    ['macros inside macros', `${Array.from({ length: 12 }, (_, index) => `#define M${index + 1} M${index} M${index} x\n`).join('')}M12`],
    ['deep nesting', `int x = ${'('.repeat(50_000)}1;`],
    ['no text', ''],
    ['bytes that are no text', '\0\u0001\uFFFD\uD800'],
    ['one long line', `int x = ${'1 + '.repeat(1000)}y;`]
  ])('%s gets an answer', async (_, text) => {
    const build = await buildText(toolchain, 'a.c', text)
    expect(build.ok).toBe(false)
    expect(build.message !== undefined || build.diagnostics.length > 0).toBe(true)
  })
})

describe('as one types', () => {
  const check = (path: string, text: string) => toolchain.check({ path, file: join('/nowhere', path), text })

  test('the same diagnostics as a build', async () => {
    const text = `${EXIT}int f(void) { return missing; }`
    const diagnostics = await check('a.c', text)
    expect(diagnostics).toMatchObject([{ line: 3, column: 22, endColumn: 29 }])
    expect((await buildText(toolchain, 'a.c', text)).diagnostics).toEqual(diagnostics)
  })

  test('POSIX headers are there before musl is built', async () => {
    const text = '#include <stdio.h>\n#include <pthread.h>\nint main(void) { printf("%d\\n", 1.5); }'
    expect(await check('a.c', text)).toMatchObject([{ code: '-Wformat' }])
  })

  test('headers, assembly, WAT, and what is no source', async () => {
    expect(await check('a.h', '#pragma once\nint f(int x);\nstatic inline int g(void) { return 0; }\n')).toEqual([])
    expect(await check('a.S', ' frob\n')).toMatchObject([{ line: 1, column: 2 }])
    expect((await check('a.wat', '(modul)'))[0]).toMatchObject({ path: 'a.wat', line: 1, column: 2 })
    expect(await check('README.md', '#')).toEqual([])
  })

  test('a byte order mark and CRLF move no column', async () => {
    expect(await check('a.c', '\uFEFFint a;\r\nint b = x;\r\n')).toMatchObject([{ line: 2, column: 9, endColumn: 10 }])
    expect(await check('a.c', '\uFEFFint b = x;')).toMatchObject([{ line: 1, column: 9 }])
  })

  test('an aborted check rejects as aborted', async () => {
    const controller = new AbortController()
    controller.abort()
    const checking = toolchain.check({ path: 'a.c', file: '/nowhere/a.c', text: EXIT }, { signal: controller.signal })
    await expect(checking).rejects.toMatchObject({ kind: 'aborted' })
  })
})

describe('names', () => {
  const odd = [
    'with space.c', 'ñandú 変.c', '-o.c', '--help.c', '@file.c', 'a=b.c', 'a"b.c', "a'b.c", 'a$b#c.c', '%s%n.c', 'a:1:2: error: x.c',
    'dir with space/-x.c'
  ]
  test.each(odd)(
    '%j', async name => {
      const project = temporaryFolder()
      mkdirSync(join(project, 'dir with space'))
      const file = join(project, name)
      writeFileSync(file, `#include "my header#$.h"\n${EXIT}static int unused;\n`)
      writeFileSync(join(file, '..', 'my header#$.h'), 'extern int zero;\n')
      const build = await toolchain.build({ path: name, file })
      expect(build).toMatchObject({ ok: true, diagnostics: [{ path: name, line: 4 }] })
      expect(await toolchain.build({ path: name, file })).toMatchObject({ ok: true, cached: true })
      writeFileSync(join(file, '..', 'my header#$.h'), 'extern int one;\n')
      expect(await toolchain.build({ path: name, file })).toMatchObject({ ok: true, cached: false })
      const elf = output(build)
      const start = readSymbols(readSections(elf)).find(symbol => symbol.name === '_start')
      expect(readDebugInfo(elf).locate(start?.value ?? 0n)).toMatchObject({ function: '_start', file: name, line: 3 })
    }
  )

  test('an installation in a folder with an odd name', async () => {
    const installation = join(temporaryFolder(), 'My Atoll ñ=1')
    for (const folder of ['user', 'assets/boot']) cpSync(join(INSTALLATION, folder), join(installation, folder), { recursive: true })
    const { clang: [zig] } = findCompiler({ installation: INSTALLATION })
    const moved = new Toolchain({ installation, cacheDirectory: join(installation, 'cache dir'), zig })
    output(await buildText(moved, 'a.c', EXIT))
    expect((await moved.assembleBoot()).length).toBeGreaterThan(1000)
  })
})

describe('the cache', () => {
  const project = (header: string) => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'include'))
    writeFileSync(join(folder, 'include', 'value.h'), header)
    writeFileSync(join(folder, 'a.c'), `#include <atoll.h>\n#include "value.h"\nvoid _start(void) { sys_exit(VALUE); }\n`)
    const build = (options = {}) =>
      toolchain.build({ path: 'a.c', file: join(folder, 'a.c') }, { includeDirectories: [join(folder, 'include')], ...options })
    return { folder, build }
  }

  test('hits when nothing changed, also in another process', async () => {
    const cacheDirectory = temporaryFolder()
    const first = await buildText(freshToolchain(cacheDirectory), 'a.c', EXIT)
    const second = await buildText(freshToolchain(cacheDirectory), 'a.c', EXIT)
    expect([first.cached, second.cached]).toEqual([false, true])
    expect(output(second)).toEqual(output(first))
  })

  test('misses when the text, the name, a flag or a header changed', async () => {
    const { folder, build } = project('#define VALUE 1\n')
    expect(await build()).toMatchObject({ ok: true, cached: false })
    expect(await build()).toMatchObject({ cached: true })
    expect(await build({ flags: ['-O0'] })).toMatchObject({ ok: true, cached: false })
    writeFileSync(join(folder, 'include', 'value.h'), '#define VALUE 2\n')
    expect(await build()).toMatchObject({ ok: true, cached: false })
    expect(await build()).toMatchObject({ cached: true })
    rmSync(join(folder, 'include', 'value.h'))
    expect(await build()).toMatchObject({ ok: false, diagnostics: [{ message: "'value.h' file not found" }] })
  })

  test('misses when a new header hides an old one', async () => {
    const { folder, build } = project('#define VALUE 1\n')
    await build()
    writeFileSync(join(folder, 'value.h'), '#define VALUE 2\n')
    expect(await build()).toMatchObject({ ok: true, cached: false })
    writeFileSync(join(folder, 'include', 'atoll.h'), '#error mine\n')
    expect(await build()).toMatchObject({ ok: false })
  })

  test('keeps nothing that depends on whether a header exists', async () => {
    const text = `#if __has_include("maybe.h")\n#endif\n${EXIT}`
    await buildText(toolchain, 'a.c', text)
    expect(await buildText(toolchain, 'a.c', text)).toMatchObject({ ok: true, cached: false })
  })

  test('survives damage', async () => {
    const cacheDirectory = temporaryFolder()
    await buildText(freshToolchain(cacheDirectory), 'a.c', EXIT)
    const outputs = join(cacheDirectory, 'outputs')
    for (const name of readdirSync(outputs)) writeFileSync(join(outputs, name), readFileSync(join(outputs, name)).subarray(0, 100))
    expect(await buildText(freshToolchain(cacheDirectory), 'a.c', EXIT)).toMatchObject({ ok: true, cached: false })
  })

  test('is optional: a folder that cannot be made costs only time', async () => {
    const file = join(temporaryFolder(), 'file')
    writeFileSync(file, '')
    expect(await buildText(freshToolchain(join(file, 'cache')), 'a.c', EXIT)).toMatchObject({ ok: true, cached: false })
  })
})

test('many builds at once, in several toolchains over one cache', async () => {
  const cacheDirectory = temporaryFolder()
  const toolchains = [freshToolchain(cacheDirectory), freshToolchain(cacheDirectory)]
  const building = Array.from({ length: 24 }, (_, index) => buildText(toolchains[index % 2], 'a.c', `${EXIT}int number = ${index % 6};`))
  const builds = await Promise.all(building)
  for (const [index, build] of builds.entries()) expect(output(build)).toEqual(output(builds[index % 6]))
})

test('stopping a build', async () => {
  const controller = new AbortController()
  const building = buildText(toolchain, 'a.c', `#include <atoll.h>\n${'void f(void);\n'.repeat(400_000)}`, { signal: controller.signal })
  setTimeout(() => controller.abort(), 20)
  expect(await building).toMatchObject({ ok: false, message: expect.stringContaining('stopped while') })
})

test.runIf(process.platform === 'linux')('a source that asks the compiler for all memory there is', async () => {
  const bomb = Array.from({ length: 40 }, (_, index) => `#define M${index + 1} M${index}, M${index}\n`).join('')
  const build = await buildText(toolchain, 'a.c', `#define M0 1\n${bomb}int everything[] = { M40 };\n`)
  expect(build.message).toMatch(/^compiling a\.c took .* and was stopped$/)
})

test('no work folder is left behind', async () => {
  // A folder of its own: other tests build at the same time.
  const folder = mkdtempSync(join(tmpdir(), 'atoll-test-'))
  vi.stubEnv('TMPDIR', folder)
  try {
    await buildText(toolchain, 'a.c', EXIT)
    await buildText(toolchain, 'a.c', 'error')
    expect(readdirSync(folder)).toEqual([])
  } finally {
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true })
  }
})

test('debug information is not compressed and in DWARF 5', async () => {
  const section = findSection(readSections(output(await buildText(toolchain, 'a.c', EXIT))), '.debug_line')
  expect(section && new DataView(section.bytes.buffer, section.bytes.byteOffset).getUint16(4, true)).toBe(5)
})
