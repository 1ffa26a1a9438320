/** Names with how often something happened, for what is dropped and why. There are as many names as places that count. */
export class Counters {
  private readonly values = new Map<string, number>()

  count(name: string): void {
    this.values.set(name, this.get(name) + 1)
  }

  get(name: string): number {
    return this.values.get(name) ?? 0
  }

  /** In order of first occurrence. */
  entries(): [string, number][] {
    return [...this.values]
  }
}

/** What went over an interface. Bytes are those of IP packets. */
export class Traffic {
  receivedPackets = 0
  receivedBytes = 0
  /** Received and not understood, or not ours. */
  receivedDropped = 0
  sentPackets = 0
  sentBytes = 0
  /** Not sent: the transmitter was full, or nobody answered for the address. */
  sentDropped = 0

  received(bytes: number): void {
    this.receivedPackets++
    this.receivedBytes += bytes
  }

  sent(bytes: number): void {
    this.sentPackets++
    this.sentBytes += bytes
  }
}
