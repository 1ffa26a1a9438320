import type { ChildProcess } from 'node:child_process'
import { Machine } from '../src/engine/machine/machine.ts'
import type { CreateCpu, MachineOptions } from '../src/engine/machine/machine.ts'
import { watch } from './peers.ts'

/** Rounds of work in one sample. The first is the cold one; the figure for warm code is the fastest of the rest. */
const ROUNDS = 6
const RAM_BYTES = 16 << 20
/** How long the machine runs before the loop looks at what it printed, in virtual time. */
const SLICE_NS = 1_000_000

const START = 'S'.charCodeAt(0)
const END = 'E'.charCodeAt(0)
const NEWLINE = '\n'.charCodeAt(0)

/** Follows a guest's rounds by what it prints (bare.c, hosted.c); `now` is in milliseconds. */
class Rounds {
  readonly ms: number[] = []
  /** The last round's line is complete. */
  isDone = false
  private line = ''
  private startMs = 0
  private endMs = 0
  private checksum = NaN

  see(byte: number, nowMs: number): boolean {
    if (byte === START) this.startMs = nowMs
    else if (byte === END) this.endMs = nowMs
    if (byte !== NEWLINE) {
      this.line = byte === START || byte === END ? '' : this.line + String.fromCharCode(byte)
      return this.isDone
    }
    const [checksum, ns] = this.line.split(' ')
    this.checksum = Number.parseInt(checksum, 16)
    this.ms.push(ns === undefined ? this.endMs - this.startMs : Number.parseInt(ns, 16) / 1e6)
    this.isDone ||= this.ms.length >= ROUNDS
    return this.isDone
  }

  figures(): Record<string, number> {
    return { 'first ms': this.ms[0], 'warm ms': Math.min(...this.ms.slice(1)), checksum: this.checksum }
  }
}

/** A guest's figures as a process prints them. */
export async function samplePeer(start: () => ChildProcess): Promise<Record<string, number>> {
  const rounds = new Rounds()
  await watch(start(), (bytes, nowMs) => bytes.some(byte => rounds.see(byte, nowMs)))
  return rounds.figures()
}

/**
 * Runs the bare image on a new machine; the figures have the instructions of one round beside its times.
 * @param createCpu for a processor that is not the usual one
 */
export function sampleMachine(image: Uint8Array, tier: MachineOptions['tier'], createCpu?: CreateCpu): Record<string, number> {
  const machine = new Machine({ ramBytes: RAM_BYTES, tier }, createCpu)
  const rounds = new Rounds()
  let startedAt = 0
  let instructions = 0
  machine.serial.onTransmit = byte => {
    if (rounds.isDone) return
    // A processor that does not count would not come back by itself.
    if (rounds.see(byte, performance.now())) machine.shutdown(0)
    if (byte === START) startedAt = machine.instructions
    if (byte === END) instructions = machine.instructions - startedAt
  }
  machine.loadMultiboot(image)
  while (!rounds.isDone) {
    const state = machine.run(machine.clock.nowNs + SLICE_NS)
    if (state.kind !== 'running' && !rounds.isDone) throw new Error(`the machine ended before its work did: ${JSON.stringify(state)}`)
  }
  return { ...rounds.figures(), instructions }
}
