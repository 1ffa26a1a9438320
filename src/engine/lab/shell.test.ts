import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { INSTALLATION, SHARED_CACHE, freshToolchain } from '../toolchain/testing/folders.ts'
import { MachineSession } from './session.ts'
import { runProgram } from './testing/run-program.ts'

const toolchain = freshToolchain(SHARED_CACHE)
let boot: Uint8Array
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
  boot = await toolchain.assembleBoot()
  shell = await build('user/sh.c')
  for (const name of readdirSync(join(INSTALLATION, 'user/bin')))
    files.set(`/bin/${name.replace('.c', '')}`, await build(`user/bin/${name}`))
  for (const name of ['spin', 'fault']) files.set(`/bin/${name}`, await build(`user/${name}.c`))
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
    expect(type('fault', 'say $?').answer).toContain('\n139')
  })
  it('goes on while something runs behind, which kill ends', () => {
    expect(type('sleep 100 &', 'say here', 'kill 2', 'wait', 'ps').answer).toMatch(
      /^\[2\]\nhere\nPID +PARENT.*\n1 +0 +waiting .* sh\n4 +1 +running .* ps$/,
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
    expect(terminal.type('spin\n', 100_000_000)).toBe('[user] Spinning for ever.')
    terminal.type('\x03')
    expect(terminal.type('say $?\n')).toBe('130')
    expect(terminal.session.kernel.scheduler.processes.size).toBe(1)
  })
})
