import type { Diagnostic } from './diagnostic.ts'

/**
 * Why the toolchain could not do what was asked. The message is one clear sentence for the user.
 *
 * `no-compiler`: neither the zig package nor an installed clang with LLD was found. `failed`: a tool said no; the
 * diagnostics say where. `over-limit`: it took too long or too much memory. `aborted`: it was told to stop.
 * `broken-tool`: it crashed or could not be started.
 */
export class ToolchainError extends Error {
  override readonly name = 'ToolchainError'
  readonly kind: 'no-compiler' | 'failed' | 'over-limit' | 'aborted' | 'broken-tool'
  readonly diagnostics: readonly Diagnostic[]

  constructor(kind: ToolchainError['kind'], message: string, diagnostics: readonly Diagnostic[] = []) {
    super(message)
    this.kind = kind
    this.diagnostics = diagnostics
  }
}
