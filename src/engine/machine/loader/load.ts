import type { PhysicalMemory } from '../memory.ts'
import { BadImage } from './bad-image.ts'
import { enterLinux, enterMultiboot } from './entry-state.ts'
import { isLinux, loadLinux } from './linux.ts'
import { isMultiboot2, loadMultiboot2, MULTIBOOT2_BOOTLOADER_MAGIC } from './multiboot2.ts'
import type { MultibootModule } from './multiboot.ts'
import { BOOTLOADER_MAGIC, loadMultiboot } from './multiboot.ts'

export interface KernelOptions {
  /** Behind the name of the image, for Multiboot; Linux gets this alone. */
  commandLine?: string
  /** Linux's initial RAM disk; a Multiboot kernel's first module. */
  initrd?: Uint8Array
  /** Further modules, for Multiboot kernels. */
  modules?: readonly MultibootModule[]
  /** Physical address of the ACPI root pointer. */
  rsdp?: number
}

/**
 * Loads a kernel in whatever format it is: Linux's boot protocol, Multiboot 2 or Multiboot 1, in this order; and leaves a processor that
 * was just reset at its entry. Returns what the image asked for and does not get. Throws BadImage, with nothing changed.
 *
 * @param name what Multiboot kernels get as the first word of their command line
 */
export function loadKernel(memory: PhysicalMemory, image: Uint8Array, name: string, options: KernelOptions): string[] {
  const { commandLine = '', initrd, modules: others = [], rsdp } = options
  if (isLinux(image)) {
    if (others.length > 0) throw new BadImage('unsupported', 'A Linux kernel takes an initial RAM disk and no modules.')
    enterLinux(memory, loadLinux(memory, image, { commandLine, initrd, rsdp }))
    return []
  }
  const modules = [...(initrd === undefined ? [] : [{ bytes: initrd, commandLine: '' }]), ...others]
  const fullLine = commandLine === '' ? name : `${name} ${commandLine}`
  const isVersion2 = isMultiboot2(image)
  const { entry, info, warnings } = isVersion2
    ? loadMultiboot2(memory, image, { commandLine: fullLine, modules, rsdp })
    : loadMultiboot(memory, image, { commandLine: fullLine, modules })
  enterMultiboot(memory, { entry, info, magic: isVersion2 ? MULTIBOOT2_BOOTLOADER_MAGIC : BOOTLOADER_MAGIC })
  return warnings
}
