import { parentPort } from 'node:worker_threads'
import { createLabSession, createSession } from '../service/create-session.ts'
import { MachineHost } from './host.ts'
import { LabHost } from './lab-host.ts'
import type { ToLabWorker } from './lab-messages.ts'
import type { ToWorker } from './messages.ts'

/** Entry of a worker thread: joins a MachineHost and a LabHost to the thread's port and its event loop. */
const port = parentPort
if (port === null) throw new Error('this is the entry of a worker thread')

const host = new MachineHost({ now: () => performance.now(), post: (message) => port.postMessage(message), createSession })
const labHost = new LabHost(createLabSession, (message) => port.postMessage(message))

let immediate: NodeJS.Immediate | undefined
let timer: NodeJS.Timeout | undefined

/** Steps once, and again when the host says. Between two steps the event loop delivers messages. */
function step(): void {
  clearTimeout(timer)
  clearImmediate(immediate)
  timer = undefined
  immediate = undefined
  const ms = host.step()
  if (ms === undefined) return
  // A timer of 0 would wait a millisecond; one of less than a millisecond, rounded down, would come early and have to come again.
  if (ms === 0) immediate = setImmediate(step)
  else timer = setTimeout(step, Math.ceil(ms))
}

function isForLab(message: ToWorker | ToLabWorker): message is ToLabWorker {
  return message.type.startsWith('lab-')
}

port.on('message', (message: ToWorker | ToLabWorker) => {
  if (isForLab(message)) {
    // What a machine does wrong is part of the answer; an error here is ours, and ends the worker with everything in it.
    void labHost.handle(message)
    return
  }
  host.handle(message)
  step()
})
