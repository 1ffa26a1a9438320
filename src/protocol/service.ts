/**
 * The contract between a shell's service and the workbench it shows: one typed RPC, symmetric, over a MessagePort in
 * Electron and over a WebSocket in the browser. Values are plain data that structured clone and MessagePack both carry.
 */

/** Bump when a change breaks a renderer of the version before; the two compare it when they meet. */
export const PROTOCOL_VERSION = 1

/** A path inside the project: relative, `/`-separated, no `.` or `..` segments. */
export type ProjectPath = string

export interface FileEntry {
  path: ProjectPath
  kind: 'file' | 'directory'
  /** Bytes; 0 for a directory. */
  size: number
}

export interface FileContent {
  text: string
  /** Opaque; hand it back with `writeFile` so that a change made elsewhere is not overwritten unseen. */
  version: string
}

export type WriteResult =
  | { ok: true; version: string }
  | { ok: false; reason: 'changed-on-disk'; current: FileContent }
  | { ok: false; reason: 'error'; message: string }

/** Lines and columns count from 1, columns in UTF-16 code units as editors do. */
export interface Diagnostic {
  path: string
  line: number
  column: number
  endLine: number
  endColumn: number
  severity: 'error' | 'warning' | 'note'
  message: string
  /** The compiler's own option or code, such as `-Wunused-variable`. */
  code?: string
  /** A replacement the compiler proposes for a range. */
  fix?: { line: number; column: number; endLine: number; endColumn: number; text: string }
}

export interface BuildResult {
  ok: boolean
  diagnostics: Diagnostic[]
  /** Wall milliseconds the build took; `cached` when the output was already there. */
  elapsedMs: number
  cached: boolean
  /** What the tool printed that is no diagnostic (linker errors, a missing compiler). */
  message?: string
}

export type MachineId = string

/** `exited`: the first program ended and the machine shut down. `shutdown`: triple fault. */
export type MachinePhase = 'booting' | 'running' | 'halted' | 'exited' | 'panicked' | 'shutdown' | 'stopped'

export interface MachineStatus {
  id: MachineId
  /** The source or binary it runs. */
  program: ProjectPath
  phase: MachinePhase
  /** The first program's exit status once there is one. */
  exitStatus?: number
  /** Virtual nanoseconds since reset. */
  virtualNs: number
  /** Wall milliseconds since reset during which it was not stopped. */
  wallMs: number
  /** Instructions since reset. */
  instructions: number
  /** One sentence when something went wrong. */
  message?: string
}

export interface BootRequest {
  program: ProjectPath
  args?: string[]
  memoryBytes?: number
  seed?: number
  /** `live` paces virtual time to the wall, `fast` does not wait. */
  pace?: 'live' | 'fast'
}

export type BootResult = { ok: true; machine: MachineStatus; build: BuildResult } | { ok: false; build: BuildResult; message: string }

/** What a renderer needs to show everything again after a reload. */
export interface Attachment {
  protocolVersion: number
  projectName: string
  /** The project's folder as the user knows it, for display only. */
  projectLocation: string
  shell: 'electron' | 'browser'
  machines: { status: MachineStatus; console: Uint8Array }[]
}

/** What the shell offers the renderer. Every call rejects with an Error whose message is one clear sentence. */
export interface WorkbenchService {
  attach(): Promise<Attachment>
  listFiles(): Promise<FileEntry[]>
  readFile(path: ProjectPath): Promise<FileContent>
  writeFile(path: ProjectPath, text: string, baseVersion?: string): Promise<WriteResult>
  createFile(path: ProjectPath, text: string): Promise<void>
  renameFile(from: ProjectPath, to: ProjectPath): Promise<void>
  deleteFile(path: ProjectPath): Promise<void>
  /**
   * Diagnostics of `text`, a program or a `lab.json`, as if it were saved at `path`; saves nothing. Rejects when a newer check of the same
   * window began.
   */
  check(path: ProjectPath, text: string): Promise<Diagnostic[]>
  build(path: ProjectPath): Promise<BuildResult>
  /** Builds, then boots a new machine with the program as its first; a machine that ran before is replaced. */
  boot(request: BootRequest): Promise<BootResult>
  stop(id: MachineId): Promise<void>
  /** Boots the same program again from the start, without a build. Its console begins with ESC c, which clears a terminal. */
  reset(id: MachineId): Promise<void>
  /** Types bytes into the machine's console. */
  type(id: MachineId, bytes: Uint8Array): Promise<void>
}

/** What the shell tells the renderer, unasked. */
export interface WorkbenchEvents {
  console(id: MachineId, bytes: Uint8Array): void
  status(status: MachineStatus): void
  /** Files were added, removed or changed by somebody else. */
  filesChanged(paths: ProjectPath[]): void
}
