import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { KernelOptions } from './loader/load.ts'
import { Machine, type MachineState } from './machine.ts'
import { Mode, writeCpio } from './testing/foreign/cpio.ts'
import { bootFile, debianPackage, dependencyOf } from './testing/foreign/debian.ts'

/** Kernels that none of us wrote, from Debian's packages as they are. */

const MIB = 1 << 20
const SOURCES = fileURLToPath(new URL('testing/foreign', import.meta.url))
const ZIG = fileURLToPath(new URL('../../../node_modules/.bin/zig', import.meta.url))
const BOOT_MS_MAX = 600_000
/** Of a whole pass of Memtest86+, which takes some minutes where the engine is built and four times as long here. */
const PASS_MS_MAX = 1_800_000
const LOOK_NS = 500_000_000

const linuxName = dependencyOf('linux-image-amd64', 'linux-image-')
const linux = linuxName === undefined ? undefined : debianPackage(linuxName)
const mach = debianPackage('gnumach-image-1.8-486')
/** The same kernel for 32 bits. The 64-bit one of this version has a UD2 where system calls arrive. */
const mach32 = debianPackage('gnumach-image-1.8-486', 'i386')
const xen = debianPackage('xen-hypervisor-4.17-amd64')
const memtest = debianPackage('memtest86+')
/** Also what takes minutes: Linux on Xen, and Memtest86+'s last test, which waits. */
const isWhole = process.env.ATOLL_FOREIGN_WHOLE === '1'
const absent = 'cannot be had here: it takes a Debian with a network'

interface Boot extends KernelOptions {
  ramBytes: number
  untilNs: number
  /** The run ends when the guest has written it. */
  until?: string
  /** Typed when the guest has printed its prompt for the n-th time. */
  typed?: { prompt: string; lines: string[] }
}

function boot(image: Uint8Array, { ramBytes, untilNs, typed, until, ...options }: Boot): { console: string; state: MachineState } {
  const machine = new Machine({ ramBytes })
  const bytes: number[] = []
  const lines = [...(typed?.lines ?? [])]
  let line = ''
  machine.serial.onTransmit = (byte) => {
    bytes.push(byte)
    line = byte === 10 ? '' : line + String.fromCharCode(byte)
    const isAsked = line === typed?.prompt && lines.length > 0
    if (isAsked) machine.serial.receive(new TextEncoder().encode(`${lines.shift()}\n`))
  }
  machine.loadKernel(image, 'kernel', options)
  let state = machine.run(until === undefined ? untilNs : 0)
  const isDone = (): boolean => until === undefined || text(bytes).includes(until)
  while (state.kind === 'running' && machine.clock.nowNs < untilNs && !isDone()) state = machine.run(machine.clock.nowNs + LOOK_NS)
  return { console: text(bytes), state }
}

/** What was written, without what moves the cursor. */
const text = (bytes: readonly number[]): string =>
  // eslint-disable-next-line no-control-regex
  Buffer.from(bytes).toString('latin1').replaceAll('\r', '').replaceAll(/\u001b\[[0-9;?]*[A-Za-z]/g, '')

/** A root file system with our init alone. */
function initramfs(): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'atoll-init-'))
  try {
    const init = join(folder, 'init')
    execFileSync(ZIG, ['cc', '-target', 'x86_64-linux-musl', '-static', '-O2', '-s', '-o', init, join(SOURCES, 'init.c')])
    return writeCpio([
      { path: 'dev', mode: Mode.DIRECTORY },
      { path: 'dev/console', mode: Mode.CHARACTER_DEVICE, device: { major: 5, minor: 1 } },
      { path: 'proc', mode: Mode.DIRECTORY },
      { path: 'init', mode: Mode.EXECUTABLE, bytes: readFileSync(init) },
    ])
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe(`Debian's Linux${linux === undefined ? `, which ${absent}` : ''}`, () => {
  it.skipIf(linux === undefined)(
    'boots from its bzImage to a shell of our own, and is switched off',
    () => {
      const { console, state } = boot(readFileSync(bootFile(linux!, 'vmlinuz-')), {
        ramBytes: 256 * MIB,
        untilNs: 30e9,
        commandLine: 'console=ttyS0 nokaslr',
        initrd: initramfs(),
        typed: { prompt: '# ', lines: ['processes', 'nap', 'cat /proc/interrupts', 'off'] },
      })
      expect(console).toContain('init: Linux x86_64\n')
      expect(console).toContain('child: 42\n')
      expect(console).toContain('child: segmentation fault\n')
      expect(console).toContain('slept: 100 ms\n')
      expect(console).toMatch(/^ +4: +\d+ +IO-APIC +4-edge +ttyS0$/m)
      expect(console).toMatch(/^LOC: +[1-9]\d+ +Local timer interrupts$/m)
      expect(console).toMatch(/ACPI: PM: Preparing to enter system sleep state S5\n.*Power down\n$/)
      expect(state).toEqual({ kind: 'off' })
    },
    BOOT_MS_MAX,
  )
})

describe(`GNU Mach${mach === undefined ? `, which ${absent}` : ''}`, () => {
  it.skipIf(mach === undefined)(
    'boots by Multiboot to where it wants its first task',
    () => {
      const { console } = boot(gunzipSync(readFileSync(bootFile(mach!, 'gnumach-'))), {
        ramBytes: 64 * MIB, untilNs: 1e9, commandLine: 'console=com0',
      })
      expect(console).toMatch(/^GNU Mach 1\.8/)
      expect(console).toContain('biosmem: 000000000000100000:000000000004000000, available\n')
      expect(console).toContain('RTC time is 1970-01-01 00:00:00\n')
      expect(console).toContain('No bootstrap code loaded with the kernel!')
    },
    BOOT_MS_MAX,
  )
})

/** A program that is the first task. */
function machTask(): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'atoll-mach-'))
  try {
    const task = join(folder, 'task')
    const target = ['-target', 'x86-linux-none', '-march=i486', '-mno-sse', '-ffreestanding', '-fno-stack-protector', '-fno-pic']
    const link = ['-nostdlib', '-static', '-Wl,--build-id=none', '-Wl,-e,_start']
    execFileSync(ZIG, ['cc', ...target, ...link, '-O1', '-o', task, join(SOURCES, 'mach-task.c')])
    return readFileSync(task)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe(`GNU Mach for 32 bits${mach32 === undefined ? `, which ${absent}` : ''}`, () => {
  it.skipIf(mach32 === undefined)(
    'boots to a task of our own at CPL 3, answers its messages, and resets the machine when it is asked to',
    () => {
      const { console, state } = boot(gunzipSync(readFileSync(bootFile(mach32!, 'gnumach-'))), {
        ramBytes: 64 * MIB,
        untilNs: 10e9,
        commandLine: 'console=com0 noide',
        modules: [{ bytes: machTask(), commandLine: 'task ${host-port} ${device-port} $(task-create) $(task-resume)' }],
      })
      expect(console).toContain('task: hello from CPL 3\ntask: cs 0x00000017\n')
      expect(console).toContain('task: computed 0x780a0000\n')
      expect(console).toContain('task: kernel is GNU Mach 1.8+git20221224-486\n')
      expect(console).toContain('task: written to the console\ntask: device_write_inband 0x00000000\ntask: bytes 0x0000001e\n')
      expect(console).toMatch(/task: reboot\n$/)
      expect(state).toEqual({ kind: 'shutdown', reason: 'the guest asked for a reset through the keyboard controller' })
    },
    BOOT_MS_MAX,
  )
})

describe(`Xen${xen === undefined ? `, which ${absent}` : ''}`, () => {
  it.skipIf(xen === undefined)(
    'boots by Multiboot to where it wants its first domain, and resets the machine',
    () => {
      const { console, state } = boot(gunzipSync(readFileSync(bootFile(xen!, 'xen-4.17-amd64.gz'))), {
        ramBytes: 128 * MIB, untilNs: 10e9, commandLine: 'com1=115200,8n1 console=com1 no-real-mode',
      })
      expect(console).toContain('(XEN) Bootloader: Atoll\n')
      expect(console).toContain('dom0 kernel not specified')
      expect(state).toMatchObject({ kind: 'shutdown' })
    },
    BOOT_MS_MAX,
  )

  it.skipIf(xen === undefined || linux === undefined || !isWhole)(
    'runs Linux as its first domain, which is switched off',
    () => {
      const { console, state } = boot(gunzipSync(readFileSync(bootFile(xen!, 'xen-4.17-amd64.gz'))), {
        ramBytes: 512 * MIB,
        untilNs: 120e9,
        commandLine: 'com1=115200,8n1 console=com1 no-real-mode dom0_mem=256M',
        modules: [
          { bytes: readFileSync(bootFile(linux!, 'vmlinuz-')), commandLine: 'vmlinuz console=hvc0' },
          { bytes: initramfs(), commandLine: 'initrd' },
        ],
        typed: { prompt: '# ', lines: ['processes', 'off'] },
      })
      expect(console).toContain('init: Linux x86_64\n')
      expect(console).toContain('child: segmentation fault\n')
      expect(console).toContain('(XEN) Entering ACPI S5 state.\n')
      expect(state).toEqual({ kind: 'off' })
    },
    BOOT_MS_MAX,
  )
})

describe(`Memtest86+${memtest === undefined ? `, which ${absent}` : ''}`, () => {
  it.skipIf(memtest === undefined)(
    'boots by the Linux protocol and finds no error in memory',
    () => {
      const { console } = boot(readFileSync(bootFile(memtest!, 'memtest86+x64.bin')), {
        ramBytes: 16 * MIB,
        untilNs: isWhole ? 600e9 : 40e9,
        commandLine: 'nosmp nobench console=ttyS0,115200',
        until: isWhole ? 'Pass:  1' : '#10 [Bit fade test',
      })
      expect(console).toContain('Memtest86+ v6')
      expect(console).toContain(isWhole ? 'Pass:  1' : '#10 [Bit fade test')
      expect(console.match(/Errors: \d+/g)?.at(-1)).toBe('Errors: 0')
    },
    isWhole ? PASS_MS_MAX : BOOT_MS_MAX,
  )
})
