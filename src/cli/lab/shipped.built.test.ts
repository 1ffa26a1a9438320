import type { ChildProcess } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ExitStatus } from '../exit-status.ts'
import { labRunIn, ROOT } from './testing/lab-run.ts'

/** The labs that come with Atoll do what they say, the same on every computer. */

const LABS = join(ROOT, 'assets', 'labs')
/** Seconds when nothing else runs; here two suites and a load share the processors. */
const TIMEOUT_MS = 300_000
/** Beacons have found their addresses by then, and their first announcements were lost or heard. */
const SHORT = '8s'
const OUTPUT_BYTES_MAX = 1 << 28

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'atoll-labs-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

interface Run {
  status: number
  stdout: string
  capture: Buffer
}

async function capture(lab: string, ...args: string[]): Promise<Run> {
  const { status, stdout } = await labRunIn(folder, join(LABS, lab), '--capture', 'out.pcapng', ...args)
  return { status, stdout, capture: readFileSync(join(folder, 'out.pcapng')) }
}

const hashOf = ({ stdout }: Run): string => /\ntrace ([0-9a-f]{64})\n$/.exec(stdout)?.[1] ?? ''

/** Runs something while every processor is busy with something else. */
async function underLoad<T>(work: () => Promise<T>): Promise<T> {
  const spin = (): ChildProcess => spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' })
  const load = Array.from({ length: availableParallelism() }, spin)
  try {
    return await work()
  } finally {
    for (const child of load) child.kill('SIGKILL')
  }
}

describe('a lab that comes with Atoll', () => {
  it.each(readdirSync(LABS))('%s passes its checks', { timeout: TIMEOUT_MS }, async (lab) => {
    const { status, stderr } = await labRunIn(folder, join(LABS, lab), '--workers', '0')
    expect(stderr).toBe('')
    expect(status).toBe(ExitStatus.OK)
  })

  it('runs the same to the byte on an idle and on a loaded host, with any number of workers', { timeout: TIMEOUT_MS }, async () => {
    const first = await capture('beacon-eight', '--until', SHORT, '--seed', '7', '--workers', '0')
    expect(hashOf(first)).not.toBe('')
    for (const workers of ['1', '2']) {
      const run = (): Promise<Run> => capture('beacon-eight', '--until', SHORT, '--seed', '7', '--workers', workers)
      const { capture: bytes, ...said } = workers === '2' ? await underLoad(run) : await run()
      expect(said).toEqual({ status: first.status, stdout: first.stdout })
      expect(bytes.equals(first.capture)).toBe(true)
    }
    const other = await capture('beacon-eight', '--until', SHORT, '--seed', '8')
    expect(hashOf(other)).not.toBe(hashOf(first))
    expect(other.capture.equals(first.capture)).toBe(false)
  })

  it('leaves a capture in which tshark finds nothing malformed', { timeout: TIMEOUT_MS }, async ({ skip }) => {
    skip(spawnSync('tshark', ['--version']).status !== 0, 'tshark is not installed (Debian: apt-get install tshark)')
    const { status } = await labRunIn(folder, join(LABS, 'switched-four'), '--until', '12s', '--workers', '0', '--capture', 'read.pcapng')
    expect(status).toBe(ExitStatus.CHECK_FAILED)
    const read = (filter: string): string[] => {
      const options = { encoding: 'utf8', maxBuffer: OUTPUT_BYTES_MAX } as const
      const { status: ended, stdout, stderr } = spawnSync('tshark', ['-r', join(folder, 'read.pcapng'), '-Y', filter], options)
      expect(ended, stderr).toBe(0)
      return stdout.split('\n').filter((line) => line !== '')
    }
    expect(read('_ws.malformed || _ws.expert.severity >= "Error"')).toEqual([])
    // Each frame is there once for each link that it crosses: six echoes over two links, requests and answers of rpc, who has whom.
    expect(read('icmp.type == 0')).toHaveLength(12)
    expect(read('udp.port == 5300').length).toBeGreaterThan(60)
    expect(read('arp').length).toBeGreaterThan(20)
  })
})
