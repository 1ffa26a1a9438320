import { RamDirectory, RamFile } from '../../kernel/fs/ramfs.ts'
import type { RamFileSystem } from '../../kernel/fs/ramfs.ts'
import type { Kernel } from '../../kernel/kernel.ts'

/** Everything that a kernel has lent to processes. */
export interface KernelUsage {
  processes: number
  openFiles: number
  queues: number
  sockets: number
  socketBytes: number
  modules: number
  /** Frames beside those of files. */
  frames: number
  promisedFrames: number
  /** Frames and inodes of the file system that no name in it leads to. */
  lostFileFrames: number
  lostInodes: number
}

/** What is private to the file system and to its files, for the one who checks their sums. */
interface Insides {
  system: RamFileSystem
  pages: ReadonlyMap<number, number>
  nodes: number
}
const insides = (of: object): Insides => of as unknown as Insides

export function usageOf(kernel: Kernel): KernelUsage {
  const { frames, network, openFiles, queues, scheduler, vfs, wasm } = kernel
  const { system } = insides(vfs.root)
  let inodes = 1
  let fileFrames = 0
  const walk = [vfs.root]
  for (let node = walk.pop(); node !== undefined; node = walk.pop())
    for (const [, child] of node.list()) {
      if (child instanceof RamDirectory) walk.push(child)
      if (child instanceof RamDirectory || child instanceof RamFile) inodes++
      if (child instanceof RamFile) fileFrames += insides(child).pages.size
    }
  return {
    processes: scheduler.processes.size,
    openFiles: openFiles.count,
    queues: queues.count,
    sockets: network.sockets.list().length,
    socketBytes: network.sockets.bufferedBytes,
    modules: wasm.views().length,
    frames: frames.total - frames.free - system.framesUsed,
    promisedFrames: frames.free - frames.available,
    lostFileFrames: system.framesUsed - fileFrames,
    lostInodes: insides(system).nodes - inodes,
  }
}
