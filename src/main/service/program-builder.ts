import type { BuildResult, Diagnostic, ProjectPath } from '../../protocol/service.ts'
import type { Project } from './project.ts'

/** What the workbench needs of the toolchain. */
export interface ProgramBuilder {
  /** The image a machine boots: an ELF with a Multiboot header. */
  bootImage(): Promise<Uint8Array>
  /** Further files that a machine needs which runs the program at `guestPath`. */
  systemFiles(guestPath: string): Promise<Map<string, Uint8Array>>
  /** Builds what is saved at `path`; `image` is there exactly when `result.ok`. A ready ELF is checked and taken as it is. */
  build(project: Project, path: ProjectPath): Promise<{ result: BuildResult; image?: Uint8Array }>
  /** Diagnostics of `text` as if it were saved at `path`. Rejects when `signal` aborts. */
  check(project: Project, path: ProjectPath, text: string, signal: AbortSignal): Promise<Diagnostic[]>
}
