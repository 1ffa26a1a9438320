import { join } from 'node:path'
import { Toolchain } from '../../engine/toolchain/toolchain.ts'
import type { BuildResult, ProjectPath } from '../../protocol/service.ts'
import { appRoot } from './app-root.ts'
import { cacheFolder } from './folders.ts'
import { RAM_BYTES_MAX } from './machine-options.ts'
import type { ProgramBuilder } from './program-builder.ts'
import { checkProgram, kindOf, PROGRAM_BYTES_MAX } from './program.ts'
import { locate } from './project-path.ts'
import type { Project } from './project.ts'
import { systemPrograms } from './system-programs.ts'

/** The toolchain of this installation, with the caches of this user. */
export function openToolchain(): Toolchain {
  return new Toolchain({ installation: appRoot(), cacheDirectory: cacheFolder() })
}

/** Builds a project's programs with the toolchain. */
export class ToolchainBuilder implements ProgramBuilder {
  readonly #toolchain: Toolchain

  constructor(toolchain: Toolchain) {
    this.#toolchain = toolchain
  }

  bootImage(): Promise<Uint8Array> {
    return this.#toolchain.assembleBoot()
  }

  systemFiles(guestPath: string): Promise<Map<string, Uint8Array>> {
    return systemPrograms(this.#toolchain, guestPath)
  }

  async build(project: Project, path: ProjectPath): Promise<{ result: BuildResult; image?: Uint8Array }> {
    const kind = kindOf(path)
    if (kind === 'binary') return this.#takeBinary(project, path)
    const build = await this.#toolchain.build(await source(project, path), { includeDirectories: [join(project.root, 'include')] })
    const { diagnostics, elapsedMs, cached, message } = build
    const result: BuildResult = { ok: build.ok, diagnostics, elapsedMs: Math.round(elapsedMs), cached, message }
    if (!build.ok) return { result }
    try {
      checkProgram(build.output, path, RAM_BYTES_MAX)
    } catch (error) {
      return { result: { ...result, ok: false, message: (error as Error).message } }
    }
    return { result, image: build.output }
  }

  async check(project: Project, path: ProjectPath, text: string, signal: AbortSignal): ReturnType<ProgramBuilder['check']> {
    return this.#toolchain.check(
      { ...(await source(project, path)), text },
      { includeDirectories: [join(project.root, 'include')], signal },
    )
  }

  async #takeBinary(project: Project, path: ProjectPath): Promise<{ result: BuildResult; image?: Uint8Array }> {
    try {
      const image = await project.readBytes(path, PROGRAM_BYTES_MAX)
      checkProgram(image, path, RAM_BYTES_MAX)
      return { result: { ok: true, diagnostics: [], elapsedMs: 0, cached: true }, image }
    } catch (error) {
      return { result: refusal((error as Error).message) }
    }
  }
}

async function source(project: Project, path: ProjectPath): Promise<{ path: string; file: string }> {
  return { path, file: await locate(project.root, path) }
}

function refusal(message: string): BuildResult {
  return { ok: false, diagnostics: [], elapsedMs: 0, cached: false, message }
}
