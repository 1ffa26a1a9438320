import type { Forwarder } from './forwarder.ts'

/** Repeats a frame to everybody else. */
export class Hub implements Forwarder {
  forward(_frame: Uint8Array, port: number, ports: readonly number[]): number[] {
    return ports.filter((other) => other !== port)
  }

  portDown(): void {}
}
