import type { LabAttachment } from '../../../protocol/lab.ts'
import { ConsoleLog } from '../console-log.ts'

/** Reset to Initial State (ECMA-48, ESC c): makes every terminal that shows a console forget the run before. */
const RESET_TERMINAL = new Uint8Array([0x1b, 0x63])

/** What the consoles of a lab printed last, for windows that open later. */
export class LabConsoles {
  readonly #show: (node: string, bytes: Uint8Array) => void
  readonly #logs = new Map<string, ConsoleLog>()

  /** @param show the same, for windows that are open */
  constructor(show: (node: string, bytes: Uint8Array) => void) {
    this.#show = show
  }

  all(): LabAttachment['consoles'] {
    return [...this.#logs].map(([node, log]) => ({ node, bytes: log.bytes() }))
  }

  print(node: string, bytes: Uint8Array): void {
    let log = this.#logs.get(node)
    if (log === undefined) {
      log = new ConsoleLog()
      this.#logs.set(node, log)
    }
    log.append(bytes)
    this.#show(node, bytes)
  }

  /** The machine begins again, with an empty console. */
  reset(node: string): void {
    this.#logs.get(node)?.clear()
    this.print(node, RESET_TERMINAL)
  }

  remove(node: string): void {
    this.#logs.delete(node)
  }

  clear(): void {
    this.#logs.clear()
  }
}
