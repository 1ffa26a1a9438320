import type { LabAttachment, LabService } from '../../../protocol/lab.ts'
import { UserError } from '../errors.ts'
import type { LabDesk } from './lab-desk.ts'

/**
 * The lab as one window calls it. A window that shows a lab which another window has replaced since may look, but not draw or save:
 * it would draw over the other one's lab.
 * @param attach called in the moment in which an answer is put together that tells of the whole lab
 */
export function labServiceFor(desk: LabDesk, attach: () => void): LabService {
  let opening = -1
  const attachment = (): LabAttachment => {
    opening = desk.opening
    attach()
    return desk.attachment()
  }
  const checkOpening = (): void => {
    if (opening !== desk.opening) throw new UserError('another window has opened another lab; open this one again to change it')
  }
  return {
    labAttach: async () => attachment(),
    labList: () => desk.list(),
    labOpen: async (path) => {
      await desk.open(path)
      return attachment()
    },
    labNew: async () => {
      desk.create()
      return attachment()
    },
    labSave: async (path, topology) => {
      checkOpening()
      await desk.save(path, topology)
    },
    labUpdate: async (topology) => {
      checkOpening()
      return desk.update(topology)
    },
    labStart: (options) => desk.start(options),
    labStop: async (nodes) => desk.stop(nodes),
    labPause: async () => desk.pause(),
    labResume: async () => desk.resume(),
    labType: async (node, bytes) => desk.type(node, bytes),
    labSetLink: async (link, change) => desk.setLink(link, change),
    labCut: async (link) => desk.cut(link),
    labHeal: async (link) => desk.heal(link),
    labFrames: async (after, limit) => desk.frames(after, limit),
    labCapture: async () => desk.capture(),
    labProcesses: (node) => desk.processes(node),
  }
}
