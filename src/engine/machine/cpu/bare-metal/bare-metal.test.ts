import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Machine } from '../../machine.ts'

/**
 * Kernels without an operating system: each prints what the processor did, and the same image runs here, in every tier, and on QEMU.
 * `expected/NAME.txt` is what QEMU 7.2 printed; the kernels named manual hold what QEMU gets wrong, and their expected output comes from
 * the manual.
 */
const HERE = import.meta.dirname
const ZIG = join(HERE, '../../../../../node_modules/.bin/zig')
const QEMU = 'qemu-system-x86_64'
const RAM_MIB = 16
/** Far more virtual time than any of the kernels takes. */
const LIMIT_NS = 1e9

const KERNELS = [
  { name: 'exceptions', ends: 'exited', onQemu: true },
  { name: 'paging', ends: 'exited', onQemu: true },
  { name: 'privilege', ends: 'exited', onQemu: true },
  { name: 'double-fault', ends: 'exited', onQemu: true },
  { name: 'triple-fault', ends: 'shutdown', onQemu: true },
  { name: 'protected', ends: 'exited', onQemu: true },
  { name: 'legacy', ends: 'exited', onQemu: true },
  { name: 'tasks', ends: 'exited', onQemu: true },
  { name: 'interrupts', ends: 'exited', onQemu: true },
  { name: 'apic', ends: 'exited', onQemu: true },
  { name: 'debug', ends: 'exited', onQemu: true },
  { name: 'manual-limits', ends: 'exited', onQemu: false },
  { name: 'manual-tasks', ends: 'exited', onQemu: false },
  { name: 'manual-debug', ends: 'exited', onQemu: false },
  { name: 'manual', ends: 'exited', onQemu: false },
] as const

const hasQemu = spawnSync(QEMU, ['--version']).status === 0
let folder = ''
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'atoll-bare-metal-')) })
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function assemble(name: string): string {
  const image = join(folder, `${name}.elf`)
  const link = ['-nostdlib', '-static', `-Wl,-T,${join(HERE, 'link.ld')}`, '-Wl,--build-id=none', '-Wl,-e,entry32']
  execFileSync(ZIG, ['cc', '-target', 'x86_64-freestanding-none', ...link, '-o', image, join(HERE, `${name}.S`)], { stdio: 'pipe' })
  return image
}

function runHere(image: string, tier: 'interpreter' | 'translator' | 'auto') {
  const machine = new Machine({ ramBytes: RAM_MIB << 20, tier })
  let serial = ''
  machine.serial.onTransmit = (byte) => { serial += String.fromCharCode(byte) }
  machine.loadMultiboot(new Uint8Array(readFileSync(image)))
  const state = machine.run(LIMIT_NS)
  return { serial, ends: state.kind, instructions: machine.instructions }
}

function runOnQemu(name: string, image: string): string {
  const serial = join(folder, `${name}.txt`)
  const devices = ['-device', 'isa-debug-exit,iobase=0xf4,iosize=4', '-serial', `file:${serial}`, '-display', 'none', '-no-reboot']
  // The exit status is the guest's.
  spawnSync(QEMU, ['-kernel', image, '-cpu', 'qemu64,+pdpe1gb', '-m', String(RAM_MIB), ...devices], { timeout: 30_000 })
  return readFileSync(serial, 'latin1')
}

describe.each(KERNELS)('$name', ({ name, ends, onQemu }) => {
  const expected = readFileSync(join(HERE, 'expected', `${name}.txt`), 'latin1')
  let image = ''
  beforeAll(() => { image = assemble(name) })

  test('every tier does what the stored output says, in the same number of instructions', () => {
    const interpreted = runHere(image, 'interpreter')
    expect(interpreted).toMatchObject({ serial: expected, ends })
    expect(runHere(image, 'translator')).toEqual(interpreted)
    expect(runHere(image, 'auto')).toEqual(interpreted)
  })

  test.skipIf(!onQemu || !hasQemu)(`${QEMU} prints the same`, () => {
    expect(runOnQemu(name, image)).toBe(expected)
  })
})
