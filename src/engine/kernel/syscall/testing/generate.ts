import { Errno, errnoMeaning } from '../errno.ts'
import type { ErrnoName } from '../errno.ts'
import { constantGroups, structures, syscalls } from '../table.ts'
import type { SyscallDefinition } from '../table.ts'

const ARGUMENT_REGISTERS = ['RDI', 'RSI', 'RDX', 'R10', 'R8', 'R9'] as const

const definitions: readonly SyscallDefinition[] = syscalls
const errnoNames = Object.keys(Errno) as ErrnoName[]

/** C declarator: `char *name` for pointers, `int name` otherwise. */
const declare = (type: string, name: string): string => (type.endsWith('*') ? `${type}${name}` : `${type} ${name}`)

const prototype = (call: SyscallDefinition): string => {
  const parameters = call.arguments.map((argument) => declare(argument.type, argument.name)).join(', ') || 'void'
  return `${declare(call.returns, `sys_${call.name.toLowerCase()}`)}(${parameters})`
}

/** Breaks text into comment lines of at most `width` characters. */
const wrap = (text: string, width: number): string[] => {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

/** Flags and modes in octal, as C programmers write them. */
const formatConstant = (name: string, value: number): string => (/^[OS]_/.test(name) ? `0${value.toString(8)}` : `${value}`)

/** A macro that a C library beside us may have defined already. */
const define = (name: string, value: string, doc: string): string => `#ifndef ${name}\n#define ${name} ${value} /* ${doc} */\n#endif`

const inlineFunction = (call: SyscallDefinition): string => {
  const values = call.arguments.map(({ name, type }) => (type.endsWith('*') ? `(uint64_t)${name}` : `(uint64_t)(int64_t)${name}`))
  const padded = [...values, ...Array.from({ length: 6 - values.length }, () => '0')]
  const invoke = `atoll_syscall(SYS_${call.name}, ${padded.join(', ')})`
  const errors = call.errors.length > 0 ? ` Errors: ${call.errors.join(', ')}.` : ''
  const comment = wrap(`${call.doc}${errors}`.replaceAll('`', '').replaceAll('’', "'"), 112).map((line) => ` * ${line}`)
  const attribute = call.returns === 'void' ? '__attribute__((noreturn)) ' : ''
  const body = call.returns === 'void' ? [`  for (;;) ${invoke};`] : [`  return (${call.returns})${invoke};`]
  return ['/*', ...comment, ' */', `${attribute}static inline ${prototype(call)} {`, ...body, '}'].join('\n')
}

/** The text of `user/include/atoll.h`: valid in C99 and later and in C++, freestanding or beside a C library. */
export function generateHeader(): string {
  const constants = constantGroups.map((group) =>
    [`/* ${group.title} */`, ...group.constants.map(({ name, value, doc }) => define(name, formatConstant(name, value), doc))].join('\n'),
  )
  const structs = structures.map((structure) =>
    [
      `/* ${structure.doc} ${structure.bytes} bytes. */`,
      `struct ${structure.name} {`,
      ...structure.fields.map((field) => `  ${field.type} ${field.name}; /* +${field.offset}: ${field.doc} */`),
      '};',
    ].join('\n'),
  )
  return `${[
    [
      '/*',
      ' * Atoll system calls for C programs. Generated from src/engine/kernel/syscall/table.ts; do not edit.',
      ' *',
      ' * int 0x80: number in rax, arguments in rdi rsi rdx r10 r8 r9, result in rax, -errno on failure, every other',
      ' * register preserved. Beside a C library, include its headers before this one.',
      ' */',
      '#ifndef ATOLL_H',
      '#define ATOLL_H',
      '',
      '#include <stddef.h>',
      '#include <stdint.h>',
    ].join('\n'),
    definitions.map((call) => `#define SYS_${call.name} ${call.number}`).join('\n'),
    errnoNames.map((name) => define(name, `${Errno[name]}`, errnoMeaning[name])).join('\n'),
    ...constants,
    ...structs,
    [
      '/* Any system call by number; unused arguments are 0. */',
      'static inline int64_t atoll_syscall(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f) {',
      '  int64_t result;',
      '  register uint64_t r10 __asm__("r10") = d;',
      '  register uint64_t r8 __asm__("r8") = e;',
      '  register uint64_t r9 __asm__("r9") = f;',
      '  __asm__ volatile("int $0x80"',
      '                   : "=a"(result)',
      '                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)',
      '                   : "memory");',
      '  return result;',
      '}',
    ].join('\n'),
    [
      '/* True for a result that says -errno, also where the call returns an address. */',
      '#define ATOLL_FAILED(result) ((uint64_t)(result) > (uint64_t)-4096)',
    ].join('\n'),
    ...definitions.map(inlineFunction),
    '#endif',
  ].join('\n\n')}\n`
}

/** `fd` in RDI, `buffer` in RSI, … */
const registers = (call: SyscallDefinition): string =>
  call.arguments.map(({ name }, index) => `\`${name}\` in ${ARGUMENT_REGISTERS[index]}`).join(', ')

const cell = (text: string): string => text.replaceAll('|', '\\|')

/** The text of `docs/abi.md`. */
export function generateDocs(): string {
  const summary = definitions.map((call) => {
    return `| ${call.number} | \`SYS_${call.name}\` | \`${cell(prototype(call))}\` |`
  })
  const details = definitions.flatMap((call) => [
    `### ${call.number}: SYS_${call.name}`,
    '',
    '```c',
    `${prototype(call)};`,
    '```',
    '',
    call.doc,
    '',
    ...(call.arguments.length > 0 ? [`Registers: ${registers(call)}.`, ''] : []),
    ...(call.errors.length > 0 ? [`Errors: ${call.errors.map((name) => `${name} (${errnoMeaning[name]})`).join(', ')}.`, ''] : []),
  ])
  const constants = constantGroups.flatMap((group) => [
    `### ${group.title}`,
    '',
    '| name | value | |',
    '|---|---|---|',
    ...group.constants.map(({ name, value, doc }) => `| \`${name}\` | ${formatConstant(name, value)} | ${doc} |`),
    '',
  ])
  const structs = structures.flatMap((structure) => [
    `### struct ${structure.name}`,
    '',
    `${structure.doc} ${structure.bytes} bytes.`,
    '',
    '| offset | type | name | |',
    '|---|---|---|---|',
    ...structure.fields.map((field) => `| ${field.offset} | \`${field.type}\` | \`${field.name}\` | ${field.doc} |`),
    '',
  ])
  return `${[
    '# The Atoll ABI',
    '',
    '<!-- Generated from src/engine/kernel/syscall/table.ts; do not edit. -->',
    '',
    'A program in ring 3 calls the kernel with `int 0x80`: the number in RAX, arguments in RDI, RSI, RDX, R10, R8 and R9,',
    'the result in RAX. A result between -4095 and -1 is a negated error number (Linux’s numbers). Every other register is',
    'preserved. `int` arguments are the low 32 bits of their register. A pointer that the program could not use itself is',
    'EFAULT, never a fault. A number that is not in the table is ENOSYS. `user/include/atoll.h` declares all of it for C.',
    '',
    '## Calls',
    '',
    '| number | name | C |',
    '|---|---|---|',
    ...summary,
    '',
    ...details,
    '## Start of a program',
    '',
    'The kernel enters a program at its ELF entry point in ring 3 with the System V stack: RSP, a multiple of 16, points at',
    '`argc`, then come `argv`, a zero, the environment, a zero, and the auxiliary vector (AT_PHDR, AT_PHENT, AT_PHNUM,',
    'AT_PAGESZ, AT_BASE, AT_ENTRY, AT_RANDOM, AT_EXECFN and others). RDI holds `argc` and RSI `argv` as well. Descriptors 0, 1',
    'and 2 are the console.',
    '',
    '## Constants',
    '',
    ...constants,
    '## Structures',
    '',
    ...structs,
    '## Errors',
    '',
    '| name | number | meaning |',
    '|---|---|---|',
    ...errnoNames.map((name) => `| ${name} | ${Errno[name]} | ${errnoMeaning[name]} |`),
  ].join('\n')}\n`
}
