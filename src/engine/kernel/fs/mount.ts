import type { Console } from '../drivers/console.ts'
import { KernelError } from '../syscall/errno.ts'
import type { CpioEntry } from './cpio.ts'
import type { NetworkStack } from '../net/stack.ts'
import { networkFiles } from '../net/view.ts'
import type { ProcessView } from '../process/view.ts'
import type { ModuleView } from '../wasm/runtime.ts'
import { ConsoleDevice, NullDevice, ZeroDevice } from './devices.ts'
import { ProcFile } from './proc.ts'
import type { RamFileSystem } from './ramfs.ts'
import { RamDirectory, RamFile } from './ramfs.ts'

const DIRECTORY_PERMISSIONS = 0o755
/** Inode of the first of the network's files in `/proc`. */
const NETWORK_INODE = 16

/** Makes `/dev` with console, null and zero. */
export function mountDevices(system: RamFileSystem, console: Console, nowNs: number): ConsoleDevice {
  const directory = system.root.createDirectory('dev', DIRECTORY_PERMISSIONS, nowNs)
  const consoleDevice = new ConsoleDevice(1, console)
  directory.add('console', consoleDevice, nowNs)
  directory.add('null', new NullDevice(2), nowNs)
  directory.add('zero', new ZeroDevice(3), nowNs)
  return consoleDevice
}

/** Makes `/proc` with tables of the processes and of their WebAssembly modules: one line each, columns apart by blanks. */
export function mountProcesses(
  system: RamFileSystem, processes: () => readonly ProcessView[], modules: () => readonly ModuleView[], nowNs: number,
): void {
  const table = (): string =>
    [
      'PID PARENT STATE KIB CPU_US NAME',
      ...processes().map((process) =>
        [process.pid, process.parent, process.state, process.memoryBytes / 1024, Math.floor(process.cpuNs / 1000), process.name].join(' '),
      ),
      '',
    ].join('\n')
  const moduleTable = (): string =>
    [
      'PID ID STATE KIB NAME',
      ...modules().map(({ pid, id, isBusy, memoryBytes, name }) => [pid, id, isBusy ? 'busy' : 'idle', memoryBytes / 1024, name].join(' ')),
      '',
    ].join('\n')
  const directory = system.root.createDirectory('proc', DIRECTORY_PERMISSIONS, nowNs)
  directory.add('processes', new ProcFile(1, table), nowNs)
  directory.add('modules', new ProcFile(2, moduleTable), nowNs)
}

/** Makes the network's tables in `/proc`, one line each, columns apart by blanks. */
export function mountNetwork(system: RamFileSystem, network: NetworkStack, nowNs: number): void {
  const directory = system.root.lookup('proc')
  if (!(directory instanceof RamDirectory)) throw new Error('/proc is not there yet')
  Object.entries(networkFiles).forEach(([name, text], index) => {
    directory.add(name, new ProcFile(NETWORK_INODE + index, () => text(network)), nowNs)
  })
}

/** Unpacks an archive into the file system; folders that it does not list are made. Returns how many files it held. */
export function unpack(system: RamFileSystem, entries: readonly CpioEntry[], nowNs: number): { files: number; bytes: number } {
  let files = 0
  let bytes = 0
  for (const entry of entries) {
    const names = entry.path.split('/').filter((name) => name !== '' && name !== '.')
    const name = names.pop()
    if (name === undefined) continue
    let directory = system.root
    for (const parent of names) {
      const next = directory.lookup(parent) ?? directory.createDirectory(parent, DIRECTORY_PERMISSIONS, nowNs)
      if (!(next instanceof RamDirectory)) throw new KernelError('ENOTDIR')
      directory = next
    }
    if (entry.kind === 'directory') {
      if (directory.lookup(name) === null) directory.createDirectory(name, entry.permissions, nowNs)
      continue
    }
    const file = directory.lookup(name) ?? directory.createFile(name, entry.permissions, nowNs)
    if (!(file instanceof RamFile)) throw new KernelError('EISDIR')
    file.truncate(0, nowNs)
    if (file.write(0, entry.data, nowNs) < entry.data.length) throw new KernelError('ENOSPC')
    files++
    bytes += entry.data.length
  }
  return { files, bytes }
}
