import type { ProcessView } from '../../engine/kernel/process/view.ts'
import type { MachineInput, WindowResult } from '../../engine/lab/run/runner.ts'
import type { MachineSpec } from './messages.ts'

/** What a lab and the worker that has some of its machines say to each other. `call` joins an answer to its question. */
export type ToLabWorker =
  /** First: where the worker says which machine it is busy with, as `turn` numbers them (see `TurnWord`). */
  | { type: 'lab-turns'; words: Int32Array }
  | { type: 'lab-define'; node: string; turn: number; spec: MachineSpec }
  | { type: 'lab-remove'; node: string }
  | { type: 'lab-advance'; call: number; untilNs: number; inputs: MachineInput[] }
  | { type: 'lab-processes'; call: number; node: string }

export type FromLabWorker =
  | { type: 'lab-window'; call: number; result: WindowResult }
  | { type: 'lab-processes'; call: number; processes: ProcessView[] }

/** Words of the shared memory: whose turn it is (0 for nobody), and how many turns there were. */
export const TurnWord = { NODE: 0, COUNT: 1 } as const
export const TURN_WORDS = 2
