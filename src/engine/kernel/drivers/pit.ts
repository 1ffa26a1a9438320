import type { Ports } from '../machine-port.ts'

/** 8254 counter 0 (Intel 231164): the tick of the scheduler. */
const COUNTER_0 = 0x40
const CONTROL = 0x43
const COUNTER_0_LOW_HIGH_MODE_2 = 0x34
const INPUT_HZ = 1_193_182
export const PIT_IRQ = 0
/** Ticks a virtual second, as near as the divisor comes. */
export const TICK_HZ = 1000

/** Programs counter 0 as a rate generator. Returns the divisor. */
export function startTick(ports: Ports): number {
  const divisor = Math.round(INPUT_HZ / TICK_HZ)
  ports.out(CONTROL, 1, COUNTER_0_LOW_HIGH_MODE_2)
  ports.out(COUNTER_0, 1, divisor & 0xff)
  ports.out(COUNTER_0, 1, divisor >> 8)
  return divisor
}
