import { LocalRunner } from '../../engine/lab/run/local-runner.ts'
import type { CreateLabSession } from '../../engine/lab/run/session.ts'
import type { FromLabWorker, ToLabWorker } from './lab-messages.ts'
import { TurnWord } from './lab-messages.ts'
import type { MachineSpec } from './messages.ts'

/** The machines of a lab that are in this worker. */
export class LabHost {
  readonly #post: (message: FromLabWorker) => void
  readonly #runner: LocalRunner<MachineSpec>
  readonly #turns = new Map<string, number>()
  #words: Int32Array | undefined

  constructor(createSession: CreateLabSession<MachineSpec>, post: (message: FromLabWorker) => void) {
    this.#post = post
    this.#runner = new LocalRunner(createSession, (node) => this.#turn(node))
  }

  async handle(message: ToLabWorker): Promise<void> {
    switch (message.type) {
      case 'lab-turns':
        this.#words = message.words
        return
      case 'lab-define':
        this.#turns.set(message.node, message.turn)
        this.#runner.define(message.node, message.spec)
        return
      case 'lab-remove':
        this.#runner.remove(message.node)
        return
      case 'lab-advance':
        this.#post({ type: 'lab-window', call: message.call, result: await this.#runner.advance(message.untilNs, message.inputs) })
        return
      case 'lab-processes':
        this.#post({ type: 'lab-processes', call: message.call, processes: await this.#runner.processes(message.node) })
        return
    }
  }

  #turn(node: string | null): void {
    if (this.#words === undefined) return
    Atomics.store(this.#words, TurnWord.NODE, node === null ? 0 : (this.#turns.get(node) ?? 0))
    Atomics.add(this.#words, TurnWord.COUNT, 1)
  }
}
