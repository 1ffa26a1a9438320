import type { LabConsolesView } from '../lab/lab-bench.ts'
import { SerialConsole } from './terminal.ts'

/** The consoles of the lab's machines: a terminal for each, made when something is first printed or its panel is first shown. */
export class LabConsoles implements LabConsolesView {
  readonly #terminals = new Map<string, SerialConsole>()
  #isScreenReaderOn = false
  /** Called with what the person types or pastes into a machine's console. */
  onInput: (node: string, bytes: Uint8Array) => void = () => undefined

  terminal(node: string): SerialConsole {
    const existing = this.#terminals.get(node)
    if (existing) return existing
    const terminal = new SerialConsole({ usesWebgl: false })
    terminal.setScreenReaderMode(this.#isScreenReaderOn)
    this.#take(node, terminal)
    return terminal
  }

  write(node: string, bytes: Uint8Array): Promise<void> {
    return this.terminal(node).write(bytes)
  }

  replaceAll(consoles: readonly { node: string; bytes: Uint8Array }[]): void {
    const texts = new Map(consoles.map(({ node, bytes }) => [node, bytes]))
    for (const node of new Set([...this.#terminals.keys(), ...texts.keys()]))
      this.terminal(node).replace(texts.get(node) ?? new Uint8Array())
  }

  renamed(from: string, to: string): void {
    const terminal = this.#terminals.get(from)
    if (!terminal || this.#terminals.has(to)) return
    this.#terminals.delete(from)
    this.#take(to, terminal)
  }

  remove(node: string): void {
    this.#terminals.get(node)?.dispose()
    this.#terminals.delete(node)
  }

  focus(node: string): void {
    this.#terminals.get(node)?.focus()
  }

  openSearch(node: string): void {
    this.terminal(node).isSearchOpen.set(true)
  }

  focused(): string | null {
    for (const [node, terminal] of this.#terminals) if (terminal.hasFocus()) return node
    return null
  }

  hasFocus(): boolean {
    return this.focused() !== null
  }

  applyTheme(): void {
    for (const terminal of this.#terminals.values()) terminal.applyTheme()
  }

  setScreenReaderMode(isOn: boolean): void {
    this.#isScreenReaderOn = isOn
    for (const terminal of this.#terminals.values()) terminal.setScreenReaderMode(isOn)
  }

  #take(node: string, terminal: SerialConsole): void {
    terminal.onInput = (bytes) => this.onInput(node, bytes)
    this.#terminals.set(node, terminal)
  }
}
