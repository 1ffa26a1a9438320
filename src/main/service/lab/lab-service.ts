import type { LabAttachment, LabChange, LabService } from '../../../protocol/lab.ts'
import { UserError } from '../errors.ts'
import type { LabDesk } from './lab-desk.ts'

/** The window that calls. */
interface Caller {
  /** Called in the moment in which an answer is put together that tells of the whole lab. */
  attach(): void
  /** Tells the other windows what this one has done. */
  tellOthers(change: LabChange): void
}

/**
 * The lab as one window calls it. A window that shows a lab which another window has replaced since may look, but not draw or save:
 * it would draw over the other one's lab.
 */
export function labServiceFor(desk: LabDesk, { attach, tellOthers }: Caller): LabService {
  let opening = -1
  const attachment = (): LabAttachment => {
    opening = desk.opening
    attach()
    return desk.attachment()
  }
  const checkOpening = (): void => {
    if (opening !== desk.opening) throw new UserError('another window has opened another lab; open this one again to change it')
  }
  const tellTopology = (kind: 'edited' | 'saved'): void => {
    const { topology, path } = desk.attachment()
    if (topology !== null) tellOthers({ kind, topology, path })
  }
  return {
    labAttach: async () => attachment(),
    labList: () => desk.list(),
    labOpen: async (path, name) => {
      await desk.open(path, name)
      tellOthers({ kind: 'opened' })
      return attachment()
    },
    labNew: async () => {
      desk.create()
      tellOthers({ kind: 'opened' })
      return attachment()
    },
    labSave: async (path, topology) => {
      checkOpening()
      await desk.save(path, topology)
      tellTopology('saved')
    },
    labUpdate: async (topology) => {
      checkOpening()
      const result = desk.update(topology)
      if (result.ok) tellTopology('edited')
      return result
    },
    labStart: (options) => desk.start(options),
    labStop: async (nodes) => desk.stop(nodes),
    labPause: async () => desk.pause(),
    labResume: async () => desk.resume(),
    labType: async (node, bytes) => desk.type(node, bytes),
    labSetLink: async (link, change) => {
      desk.setLink(link, change)
      tellTopology('edited')
    },
    labCut: async (link) => desk.cut(link),
    labHeal: async (link) => desk.heal(link),
    labFrames: async (after, limit) => desk.frames(after, limit),
    labCapture: async () => desk.capture(),
    labProcesses: (node) => desk.processes(node),
  }
}
