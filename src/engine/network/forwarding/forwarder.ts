/** What stands between cables and passes frames on. */
export interface Forwarder {
  /**
   * A frame came in at a port.
   *
   * @param ports that have a cable, in ascending order
   * @returns those it leaves by, in ascending order
   */
  forward(frame: Uint8Array, port: number, ports: readonly number[], timeNs: number): number[]
  /** The cable of a port was cut or taken away. */
  portDown(port: number): void
}
