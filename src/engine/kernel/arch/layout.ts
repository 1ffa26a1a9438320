/**
 * The address map. Virtual addresses of user space are numbers (below 2^47 they are exact); addresses of the kernel half
 * are used page-aligned only, where a double is exact too, or as offsets from KERNEL_BASE.
 *
 *   0xffffffff80000000 + p   kernel image, physical p (assets/boot/boot.ld)
 *   ------------------------ non-canonical gap
 *   0x00007ffffffff000       USER_END: the last canonical page stays empty, so no SYSCALL can return to a non-canonical address
 *   0x00007fffff7ff000 ..    stack, 8 MiB, made real from the top as it grows; a guard page below
 *   0x00007fffff7fe000 down  mappings without a wanted address
 *            ..              heap (Linux brk), after the image
 *   0x0000555555554000       image of a position-independent program
 *   0x0000000000200000       image of a fixed program, as the linker chose
 *   0x0000000000010000       USER_START: nothing below it is ever mapped, so null pointers fault
 */
export const PAGE_BYTES = 4096
export const KERNEL_BASE = 0xffffffff80000000
/** Slot of the kernel half in every PML4. */
export const KERNEL_PML4_INDEX = 511
export const USER_START = 0x10000
export const USER_END = 0x7ffffffff000
export const STACK_BYTES_MAX = 8 << 20
export const STACK_TOP = USER_END
export const STACK_BOTTOM = STACK_TOP - STACK_BYTES_MAX
export const STACK_GUARD = STACK_BOTTOM - PAGE_BYTES
export const MMAP_TOP = STACK_GUARD
export const PIE_BASE = 0x555555554000

export const pageFloor = (address: number): number => address - (address % PAGE_BYTES)
export const pageCeil = (address: number): number => pageFloor(address + PAGE_BYTES - 1)

/** `0x` and lower-case hexadecimal digits. */
export const hex = (value: number | bigint, digits = 1): string => `0x${value.toString(16).padStart(digits, '0')}`
