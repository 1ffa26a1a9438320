/** The boot log: one line for each thing that was set up, with the virtual time. */
const NS_PER_US = 1000
const US_PER_S = 1_000_000

/** `[    0.000123] gdt: …` */
export function formatLogLine(nowNs: number, subsystem: string, text: string): string {
  const us = Math.floor(nowNs / NS_PER_US)
  const time = `${Math.floor(us / US_PER_S)}.${String(us % US_PER_S).padStart(6, '0')}`
  return `[${time.padStart(12)}] ${subsystem}: ${text}`
}

export const VERSION = '0.1.0'

/** What the console shows between the boot log and the first program. */
export const banner: readonly string[] = [
  '',
  "        .-~~~-.",
  '      /  .-~-.  \\      Atoll ' + VERSION,
  '     |  (  o  )  |     a small decentralised operating system',
  "      \\  `-~-'  /      x86-64, ring 3 ahead",
  "        `-~~~-'",
  '',
]
