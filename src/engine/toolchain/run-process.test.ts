import { expect, test } from 'vitest'
import { OUTPUT_BYTES_MAX, runProcess } from './run-process.ts'
import type { ProcessRequest } from './run-process.ts'

const node = (script: string, more: Partial<ProcessRequest> = {}) =>
  runProcess({ file: process.execPath, args: ['-e', script], cwd: '.', timeLimitMs: 60_000, ...more })

test('status and both outputs', async () => {
  expect(await node('console.log("ñ"); console.error("e"); process.exit(3)')).toMatchObject({
    ending: 'exited', status: 3, signal: null, stdout: 'ñ\n', stderr: 'e\n'
  })
})

test('no shell looks at the arguments', async () => {
  const args = ['-e', 'console.log(JSON.stringify(process.argv.slice(1)))', '--', '$(id)', '; exit 9', '"', '*', '']
  const { stdout } = await runProcess({ file: process.execPath, args, cwd: '.', timeLimitMs: 60_000 })
  expect(JSON.parse(stdout)).toEqual(['$(id)', '; exit 9', '"', '*', ''])
})

test('the environment is added to', async () => {
  expect((await node('console.log(process.env.ATOLL_TEST, !!process.env.PATH)', { env: { ATOLL_TEST: 'x' } })).stdout).toBe('x true\n')
})

test('a process that does not end is stopped', async () => {
  expect(await node('setInterval(() => {}, 1000)', { timeLimitMs: 300 })).toMatchObject({ ending: 'timed-out', status: null })
})

test('a child that holds the pipes open does not keep it alive', async () => {
  const script = `require('child_process').spawn(process.execPath, ['-e', 'setTimeout(() => {}, 5000)'], { stdio: 'inherit' })
    setInterval(() => {}, 1000)`
  expect(await node(script, { timeLimitMs: 500 })).toMatchObject({ ending: 'timed-out' })
})

test('aborting stops it, before and during', async () => {
  const controller = new AbortController()
  const running = node('setInterval(() => {}, 1000)', { signal: controller.signal })
  setTimeout(() => controller.abort(), 100)
  expect(await running).toMatchObject({ ending: 'aborted' })
  expect(await node('', { signal: controller.signal })).toMatchObject({ ending: 'aborted' })
})

test('a program that is not there, and arguments that cannot be', async () => {
  expect(await runProcess({ file: '/no/such/program', args: [], cwd: '.', timeLimitMs: 1000 })).toMatchObject({
    ending: 'not-started', reason: expect.stringContaining('ENOENT')
  })
  expect(await runProcess({ file: process.execPath, args: ['\0'], cwd: '.', timeLimitMs: 1000 })).toMatchObject({ ending: 'not-started' })
})

test('endless output is cut', async () => {
  const { stderr, stdout } = await node('for (let i = 0; i < 1000; i++) process.stderr.write("x".repeat(20000))')
  expect(stderr.length).toBe(OUTPUT_BYTES_MAX)
  expect(stdout).toBe('')
})

test('many at once all get their turn', async () => {
  const results = await Promise.all(Array.from({ length: 12 }, (_, index) => node(`console.log(${index})`)))
  expect(results.map(({ stdout }) => Number(stdout))).toEqual(Array.from({ length: 12 }, (_, index) => index))
})
