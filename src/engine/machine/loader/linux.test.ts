import { describe, expect, it } from 'vitest'
import { Machine } from '../machine.ts'
import { PhysicalMemory } from '../memory.ts'
import { BadImage } from './bad-image.ts'
import { isLinux, loadLinux } from './linux.ts'

const MIB = 1 << 20

interface Header {
  setupSects?: number
  codeBytes?: number
  version?: number
  xloadflags?: number
  loadflags?: number
  preferred?: number
  initSize?: number
  relocatable?: boolean
  cmdlineSize?: number
  initrdMax?: number
}

/** A bzImage whose code at the 64-bit entry point writes RSI's low half to port 0xf4. */
function bzImage(header: Header = {}): Uint8Array {
  const { setupSects = 2, codeBytes = 0x400 } = header
  const image = new Uint8Array((setupSects + 1) * 512 + codeBytes)
  const view = new DataView(image.buffer)
  image[0x1f1] = setupSects
  view.setUint32(0x1f4, Math.ceil(codeBytes / 16), true)
  view.setUint16(0x1fe, 0xaa55, true)
  image.set([0xeb, 0x66], 0x200)
  image.set(new TextEncoder().encode('HdrS'), 0x202)
  view.setUint16(0x206, header.version ?? 0x20f, true)
  image[0x211] = header.loadflags ?? 1
  view.setUint32(0x22c, header.initrdMax ?? 0x7fffffff, true)
  view.setUint32(0x230, 2 * MIB, true)
  image[0x234] = (header.relocatable ?? true) ? 1 : 0
  view.setUint16(0x236, header.xloadflags ?? 1, true)
  view.setUint32(0x238, header.cmdlineSize ?? 2047, true)
  view.setBigUint64(0x258, BigInt(header.preferred ?? 16 * MIB), true)
  view.setUint32(0x260, header.initSize ?? 4 * MIB, true)
  // mov eax, esi; mov edx, 0xf4; out dx, eax
  if (codeBytes > 0x209) image.set([0x89, 0xf0, 0xba, 0xf4, 0, 0, 0, 0xef], (setupSects + 1) * 512 + 0x200)
  return image
}

function refusal(image: Uint8Array, ramBytes = 24 * MIB, options = {}): { reason: string; message: string } {
  const memory = new PhysicalMemory(ramBytes)
  try {
    loadLinux(memory, image, options)
  } catch (error) {
    if (!(error instanceof BadImage)) throw error
    expect(memory.ram.every((byte) => byte === 0), 'nothing is written when an image is refused').toBe(true)
    return { reason: error.reason, message: error.message }
  }
  return expect.unreachable()
}

describe('a bzImage', () => {
  it('is told from other files by its magic', () => {
    expect(isLinux(bzImage())).toBe(true)
    expect(isLinux(bzImage().slice(0, 0x207))).toBe(false)
    expect(isLinux(new Uint8Array(4096))).toBe(false)
  })

  it('is entered in 64-bit mode with RSI at boot_params', () => {
    for (const tier of ['interpreter', 'translator'] as const) {
      const machine = new Machine({ ramBytes: 64 * MIB, tier })
      machine.loadKernel(bzImage(), 'linux')
      const state = machine.run(1e6)
      expect(state).toEqual({ kind: 'exited', code: 0x8000 })
      expect([machine.cpu.efer & 0x500, machine.cpu.segment(1).selector, machine.cpu.segment(3).selector]).toEqual([0x500, 0x10, 0x18])
    }
  })

  it('gets header, command line, RAM disk, memory map and ACPI in boot_params (zero-page.rst)', () => {
    const memory = new PhysicalMemory(64 * MIB)
    const initrd = Uint8Array.of(1, 2, 3, 4, 5)
    const { bootParams, entry } = loadLinux(memory, bzImage(), { commandLine: 'console=ttyS0', initrd, rsdp: 0xe0000 })
    const u32 = (at: number): number => memory.readU32(bootParams + at)
    expect(entry).toBe(16 * MIB + 0x200)
    expect([memory.readU8(bootParams + 0x210), memory.readU64(bootParams + 0x70), u32(0x202)]).toEqual([0xff, 0xe0000n, 0x53726448])
    const line = u32(0x228)
    expect(new TextDecoder().decode(memory.read(line, 14))).toBe('console=ttyS0\0')
    expect([...memory.read(u32(0x218), u32(0x21c))]).toEqual([1, 2, 3, 4, 5])
    expect(u32(0x218) % 4096).toBe(0)
    const map = Array.from({ length: memory.readU8(bootParams + 0x1e8) }, (_, i) => {
      const at = bootParams + 0x2d0 + i * 20
      return [Number(memory.readU64(at)), Number(memory.readU64(at + 8)), memory.readU32(at + 16)]
    })
    expect(map).toEqual([[0, 0x9fc00, 1], [0x9fc00, 0x60400, 2], [MIB, 63 * MIB, 1]])
  })

  it('moves where it can when its place is not RAM', () => {
    const memory = new PhysicalMemory(8 * MIB)
    expect(loadLinux(memory, bzImage()).entry).toBe(2 * MIB + 0x200)
    expect(refusal(bzImage({ relocatable: false }), 8 * MIB)).toEqual({
      reason: 'outside-ram', message: 'The kernel needs 4 MiB from 0x1000000 on, but the machine has 8 MiB.',
    })
  })

  it('keeps the RAM disk below what the kernel can reach', () => {
    const memory = new PhysicalMemory(64 * MIB)
    const { bootParams } = loadLinux(memory, bzImage({ initrdMax: 0x1ffffff }), { initrd: new Uint8Array(MIB) })
    expect(memory.readU32(bootParams + 0x218)).toBe(31 * MIB)
  })
})

describe('is refused with a reason', () => {
  it.each([
    ['a kernel without a 64-bit entry', bzImage({ xloadflags: 0 }), 'unsupported', /boot protocol 2\.15\) has no 64-bit entry point/],
    ['an old protocol', bzImage({ version: 0x207 }), 'unsupported', /boot protocol 2\.07/],
    ['a zImage', bzImage({ loadflags: 0 }), 'unsupported', /zImage/],
    ['a file cut in its header', bzImage().slice(0, 0x250), 'truncated', /setup header is cut off/],
    ['a file cut in its kernel', bzImage().slice(0, -17), 'truncated', /ends before its kernel does/],
    ['a kernel too short for its entry', bzImage({ codeBytes: 0x100 }), 'truncated', /too few for its 64-bit entry point/],
  ])('%s', (_, image, reason, message) => {
    const refused = refusal(image)
    expect(refused.message).toMatch(message)
    expect(refused.reason).toBe(reason)
  })

  it('a command line longer than the kernel takes', () => {
    const { message } = refusal(bzImage({ cmdlineSize: 10 }), 24 * MIB, { commandLine: 'x'.repeat(11) })
    expect(message).toMatch(/has 11 bytes; this kernel takes 10/)
  })

  it('a RAM disk that does not fit beside the kernel', () => {
    const { message } = refusal(bzImage({ preferred: MIB }), 8 * MIB, { initrd: new Uint8Array(4 * MIB) })
    expect(message).toMatch(/does not fit beside the kernel/)
  })

  it('survives every prefix and every flipped byte of the header with BadImage or success', () => {
    const image = bzImage()
    const memory = new PhysicalMemory(8 * MIB)
    const attempt = (bytes: Uint8Array): void => {
      if (!isLinux(bytes)) return
      try {
        loadLinux(memory, bytes, { initrd: Uint8Array.of(1) })
      } catch (error) {
        expect(error).toBeInstanceOf(BadImage)
      }
    }
    for (let length = 0; length < image.length; length += 5) attempt(image.slice(0, length))
    for (let at = 0x1f1; at < 0x268; at++)
      for (const flip of [0x01, 0x10, 0x80, 0xff]) attempt(image.map((byte, i) => (i === at ? byte ^ flip : byte)))
  })
})
