import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { INSTALLATION } from '../toolchain/testing/folders.ts'
import { MachineSession } from './session.ts'
import { boot, toolchain } from './testing/programs.ts'
import { runProgram } from './testing/run-program.ts'

let shell: Uint8Array
const files = new Map<string, Uint8Array>()

async function build(path: string): Promise<Uint8Array> {
  const file = join(INSTALLATION, path)
  const result = await toolchain.build({ path, file, text: readFileSync(file, 'utf8') })
  if (!result.ok) throw new Error(result.message ?? result.diagnostics.map(({ line, message }) => `${path}:${line}: ${message}`).join('\n'))
  expect(result.diagnostics).toEqual([])
  return result.output
}

beforeAll(async () => {
  shell = await build('user/sh.c')
  files.set('/bin/sh', shell)
  for (const name of readdirSync(join(INSTALLATION, 'user/bin')))
    files.set(`/bin/${name.replace('.c', '')}`, await build(`user/bin/${name}`))
  for (const name of ['fault', 'fork_demo', 'ipc_demo', 'pipe_demo', 'spin']) files.set(`/bin/${name}`, await build(`user/${name}.c`))
}, 120_000)

const PROMPT = 'atoll$ '
const ANSWER_NS_MAX = 2_000_000_000
const WINDOW_NS = 5_000_000

/** A machine whose first program is the shell. */
class Terminal {
  readonly session: MachineSession
  private output = ''

  constructor() {
    this.session = new MachineSession({
      boot,
      files,
      program: { path: '/bin/sh', bytes: shell, args: [] },
      onConsole: (bytes) => {
        this.output += new TextDecoder().decode(bytes)
      },
    })
    this.type('')
  }

  /** Types, then waits for the next prompt or the end of the machine (or `forNs`); what was printed meanwhile, echo and prompt left out. */
  type(text: string, forNs = ANSWER_NS_MAX): string {
    this.output = ''
    this.session.type(new TextEncoder().encode(text))
    const { virtualNs } = this.session.status()
    for (let now = virtualNs + WINDOW_NS; now <= virtualNs + forNs; now += WINDOW_NS) {
      this.session.advance(now)
      if (this.output.endsWith(PROMPT) || this.session.status().phase === 'exited') break
    }
    return this.output.slice(text.length, this.output.endsWith(PROMPT) ? -PROMPT.length : undefined).trimEnd()
  }
}

/** What the shell answers to lines typed one after the other. */
function type(...lines: string[]): { answer: string; exitStatus: number | undefined } {
  const terminal = new Terminal()
  const answer = lines.map((line) => terminal.type(`${line}\n`)).filter((text) => text !== '' && !text.includes('init: sh exited'))
  return { answer: answer.join('\n'), exitStatus: terminal.session.status().exitStatus }
}

describe('the shell', () => {
  it('runs programs with arguments and quotes', () => {
    expect(type('say one "two  three" \'four\'').answer).toBe('one two  three four')
  })
  it('joins programs by pipes', () => {
    expect(type('say one two | cat | wc').answer).toBe('1 2 8')
  })
  it('sends output to files and takes input from them', () => {
    expect(type('say first > /note', 'say second >> /note', 'cat /note', 'wc < /note').answer).toBe('first\nsecond\n2 2 13')
  })
  it('knows how the last one ended', () => {
    expect(type('nonsense', 'say $?', 'exit 3')).toEqual({ answer: 'sh: nonsense: no such program; try help\n127', exitStatus: 3 })
    expect(type('false; say $? "$?" \'$?\'; true; say $?').answer).toBe('1 1 $?\n0')
    expect(type('fault', 'say $?').answer).toMatch(/\nsh: fault: touched memory that is not its own\n139$/)
  })
  it('goes on while something runs behind, which kill ends', () => {
    expect(type('sleep 100 &', 'say here', 'kill 2', 'wait', 'ps').answer).toMatch(
      /^\[2\]\nhere\nPID +PARENT.*\n1 +0 +waiting .* sh\n4 +1 +running .* ps$/,
    )
  })
  it('waits for every program of a pipe', () => {
    const { answer } = type('sleep 1 | say first', 'ps')
    expect(answer).toMatch(/^first\n/)
    expect(answer).not.toContain('sleep')
  })
  it('gives what runs behind no keys', () => {
    expect(type('cat &', 'wait', 'say mine').answer).toBe('[2]\nmine')
  })
  it('does not end itself by a kill that names nobody', () => {
    expect(type('kill', 'kill 99', 'say alive').answer).toBe('kill: : no such process\nkill: 99: no such process\nalive')
  })
  it('reads another shell’s lines from a file or a pipe, without a prompt', () => {
    expect(type('say "say in | wc; exit 4" > /lines', 'sh < /lines', 'say $?', 'say say piped | sh').answer).toBe('1 1 3\n4\npiped')
  })
  it('names every file that a program cannot use', () => {
    expect(type('cat /bin /none', 'ls /bin/ls /none', 'wc /none', 'rm /none /bin').answer).toBe(
      'cat: /bin: is a directory\ncat: /none: no such file or directory\n/bin/ls\nls: /none: no such file or directory\n' +
        'wc: /none: no such file or directory\nrm: /none: no such file or directory\nrm: /bin: is a directory',
    )
  })
  it('changes, makes and removes directories', () => {
    expect(type('mkdir /d', 'cd /d', 'pwd', 'say x > f', 'ls', 'mv f g', 'ls', 'rm g', 'cd /', 'rmdir /d', 'ls /d').answer).toBe(
      '/d\nf\ng\nls: /d: no such file or directory',
    )
  })
  it('says what is wrong with a line', () => {
    expect(type('say "open', '| wc', 'say >', 'cat /none').answer).toBe(
      'sh: a quote is not closed\nsh: a program is missing\nsh: a file name is missing\ncat: /none: no such file or directory',
    )
  })
  it('ends with the input, with the last status', () => {
    const { status } = runProgram(shell, { boot, files, path: '/bin/sh', input: 'cat /none\n' })
    expect(status).toMatchObject({ phase: 'exited', exitStatus: 1 })
  })

  it('comes back when Ctrl-C ends what runs in front', () => {
    const terminal = new Terminal()
    expect(terminal.type('spin | cat\n', 100_000_000)).toBe('[user] Spinning for ever.')
    expect(terminal.type('\x03')).toMatch(/sh: cat: interrupted$/)
    expect(terminal.type('say $?\n')).toBe('130')
    expect(terminal.session.kernel.scheduler.processes.size).toBe(1)
  })
  it('lets Ctrl-C end what wait waits for', () => {
    const terminal = new Terminal()
    terminal.type('spin &\n', 50_000_000)
    terminal.type('spin &\n', 50_000_000)
    expect(terminal.session.kernel.scheduler.processes.size).toBe(3)
    terminal.type('wait\n', 50_000_000)
    terminal.type('\x03')
    expect(terminal.type('say back\n')).toBe('back')
    expect(terminal.session.kernel.scheduler.processes.size).toBe(1)
  })
})

describe('the keys of the shell', () => {
  /** The last line that was printed after these keys and Return. */
  function answerTo(...keys: string[]): string | undefined {
    const terminal = new Terminal()
    return keys.map((text) => terminal.type(`${text}\r`)).at(-1)?.split('\n').at(-1)
  }
  const [UP, DOWN, RIGHT, LEFT] = ['A', 'B', 'C', 'D'].map((letter) => `\x1b[${letter}`)

  it('edit the line', () => {
    expect(answerTo(`say bd${LEFT}c${LEFT}${LEFT}a${RIGHT}${RIGHT}!`)).toBe('abc!d')
    expect(answerTo('say abx\x7f\x08c')).toBe('ac')
    expect(answerTo(`ay abc\x01s\x1b[F${LEFT}\x1b[3~`)).toBe('ab')
    expect(answerTo('nonsense\x15say kept')).toBe('kept')
  })
  it('move over whole characters', () => {
    expect(answerTo(`say ñú${LEFT}\x7fá`)).toBe('áú')
  })
  it('bring back earlier lines, and the one being written', () => {
    expect(answerTo('say one', 'say two', UP)).toBe('two')
    expect(answerTo('say one', 'say two', `${UP}${UP}${UP}`)).toBe('one')
    expect(answerTo('say one', `say mine${UP}${DOWN}${DOWN}`)).toBe('mine')
    expect(answerTo(...Array.from({ length: 20 }, (_, index) => `say ${index}`), UP.repeat(30))).toBe('5')
  })
  it('draw the line anew with the cursor in its place', () => {
    expect(new Terminal().type(`ab${LEFT}x`, 50_000_000)).toMatch(/ab\x1b\[K\x1b\[1D\ratoll\$ axb\x1b\[K\x1b\[1D$/)
    expect(new Terminal().type('ab\x0c', 50_000_000)).toContain('[2J\x1b[H\ratoll$ ab')
  })
  it('give the line up with Ctrl-C, and end the shell with Ctrl-D on an empty one', () => {
    const terminal = new Terminal()
    terminal.type('false\n')
    expect(terminal.type('nonsense\x03say here\n')).toMatch(/\nhere$/)
    terminal.type('nonsense\x04', 50_000_000)
    expect(terminal.session.status().phase).toBe('running')
    terminal.type('\x03\x04')
    expect(terminal.session.status()).toMatchObject({ phase: 'exited', exitStatus: 0 })
  })
  it('take no more than a line holds', () => {
    expect(answerTo(`say ${'z'.repeat(2000)}`)).toBe('z'.repeat(1019))
  })
})

describe('the demonstrations', () => {
  it('show fork, pipe and queue', () => {
    expect(type('fork_demo').answer).toBe(
      "parent is process 2, value = 1\nchild  is process 3, value = 2\nparent is process 2, value = 1\nchild's exit status: 7",
    )
    expect(type('pipe_demo').answer).toBe(`${'5 bytes: ping\n'.repeat(3)}the writer has closed its end`)
    expect(type('ipc_demo').answer).toBe(
      "producer 0: 50 messages, sum 1275\nproducer 1: 50 messages, sum 1275\neach producer's in order",
    )
  })
})
