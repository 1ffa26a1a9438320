import { FitAddon } from '@xterm/addon-fit'
import type { ISearchOptions } from '@xterm/addon-search'
import { SearchAddon } from '@xterm/addon-search'
import { WebglAddon } from '@xterm/addon-webgl'
import type { ITheme } from '@xterm/xterm'
import { Terminal } from '@xterm/xterm'
import { createStore } from '../state/store.ts'
import { token } from '../theme/theme.ts'
import type { ConsoleView } from '../workbench.ts'

const SCROLLBACK_LINES = 20_000
/** More matches than this are not counted. */
export const SEARCH_RESULTS_MAX = 1000
/** RIS (ECMA-48, 8.3.105): the terminal as it was when new, scrollback included. */
const FULL_RESET = '\u001bc'
/**
 * In pixels. A cell is 0.6 em wide: these are the sizes that fill whole pixels, where 13 would be squeezed from 7.8 to 7. The smaller one
 * is for a console that is too narrow for what a machine prints when it starts.
 */
const FONT = { size: 13.4, smallSize: 11.7, widthMin: 540 }
const ANSI = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const

export interface SearchResult {
  /** From 0; -1 when there is no match. */
  index: number
  total: number
}

/** A machine's serial console: one terminal as long as the machine is known, which its panel shows wherever it is docked. */
export class SerialConsole implements ConsoleView {
  /** Text has been shown since it was last cleared. */
  readonly hasText = createStore(false)
  readonly isAtEnd = createStore(true)
  readonly hasSelection = createStore(false)
  readonly isSearchOpen = createStore(false)
  readonly searchResult = createStore<SearchResult | null>(null)
  readonly #terminal: Terminal
  readonly #fit = new FitAddon()
  readonly #search = new SearchAddon({ highlightLimit: SEARCH_RESULTS_MAX })
  /** Called with what the person types or pastes. */
  onInput: (bytes: Uint8Array) => void = () => undefined

  readonly #usesWebgl: boolean
  #isDisposed = false

  /** A page has few WebGL contexts to give: one console may have one, those of a lab's machines draw with the DOM. */
  constructor({ usesWebgl = true } = {}) {
    this.#usesWebgl = usesWebgl
    this.#terminal = new Terminal({
      convertEol: true,
      cursorBlink: false,
      cursorInactiveStyle: 'outline',
      fontFamily: token('font-mono'),
      fontSize: FONT.size,
      lineHeight: 1.2,
      scrollback: SCROLLBACK_LINES,
      allowProposedApi: true,
      minimumContrastRatio: 4.5,
      theme: terminalTheme(),
    })
    this.#terminal.loadAddon(this.#fit)
    this.#terminal.loadAddon(this.#search)
    this.#search.onDidChangeResults(({ resultIndex, resultCount }) => this.searchResult.set({ index: resultIndex, total: resultCount }))
    const encoder = new TextEncoder()
    this.#terminal.onData((text) => this.onInput(encoder.encode(text)))
    this.#terminal.onBinary((text) => this.onInput(Uint8Array.from(text, (char) => char.charCodeAt(0))))
    this.#terminal.onSelectionChange(() => this.hasSelection.set(this.#terminal.hasSelection()))
    this.#terminal.onScroll(() => this.#updateAtEnd())
    this.#terminal.attachCustomKeyEventHandler((event) => this.#handleKey(event))
  }

  /** Shows the terminal in `element`; the result takes it off. */
  mount(element: HTMLElement): () => void {
    if (this.#terminal.element) element.append(this.#terminal.element)
    else {
      this.#terminal.open(element)
      if (this.#usesWebgl) this.#useWebgl()
    }
    const observer = new ResizeObserver(() => {
      if (element.clientWidth === 0 || element.clientHeight === 0) return
      this.#terminal.options.fontSize = element.clientWidth < FONT.widthMin ? FONT.smallSize : FONT.size
      this.#fit.fit()
    })
    observer.observe(element)
    return () => {
      observer.disconnect()
      this.#terminal.element?.remove()
    }
  }

  write(bytes: Uint8Array): Promise<void> {
    if (bytes.length > 0) this.hasText.set(true)
    return new Promise((resolve) => {
      this.#terminal.write(bytes, () => {
        this.#updateAtEnd()
        resolve()
      })
    })
  }

  replace(bytes: Uint8Array): void {
    // In line with the writes that are still waiting, so that none of them lands behind the reset.
    this.#terminal.write(FULL_RESET)
    this.hasText.set(false)
    void this.write(bytes)
  }

  clear(): void {
    this.#terminal.clear()
    this.#updateAtEnd()
  }

  focus(): void {
    this.#terminal.focus()
  }

  hasFocus(): boolean {
    return this.#terminal.element?.contains(document.activeElement) ?? false
  }

  scrollToEnd(): void {
    this.#terminal.scrollToBottom()
  }

  copySelection(): Promise<void> {
    return navigator.clipboard.writeText(this.#terminal.getSelection())
  }

  /** Marks the matches of `text` and goes to the newest, or to the next older or newer one. */
  find(text: string, which: 'newest' | 'older' | 'newer'): void {
    if (which === 'newest') this.endSearch()
    if (text === '') return
    const options: ISearchOptions = { decorations: searchDecorations() }
    if (which === 'newer') this.#search.findNext(text, options)
    else this.#search.findPrevious(text, options)
  }

  endSearch(): void {
    this.#search.clearDecorations()
    this.#terminal.clearSelection()
    this.searchResult.set(null)
  }

  /** The machine is gone for good. */
  dispose(): void {
    this.#isDisposed = true
    this.#terminal.dispose()
  }

  applyTheme(): void {
    this.#terminal.options.theme = terminalTheme()
  }

  setScreenReaderMode(isOn: boolean): void {
    this.#terminal.options.screenReaderMode = isOn
  }

  setLabel(label: string): void {
    this.#terminal.textarea?.setAttribute('aria-label', label)
  }

  #updateAtEnd(): void {
    // Writes that were waiting still report; asking a terminal that is gone for its buffer would bring half of it back.
    if (this.#isDisposed) return
    const { viewportY, baseY } = this.#terminal.buffer.active
    this.isAtEnd.set(viewportY >= baseY)
  }

  /** False leaves the key to the browser, which copies and pastes by itself. */
  #handleKey(event: KeyboardEvent): boolean {
    const key = event.key.toLowerCase()
    if (!event.ctrlKey || event.altKey || event.metaKey) return true
    if (key === 'v') return false
    if (key === 'c' && (event.shiftKey || this.#terminal.hasSelection())) {
      if (event.type === 'keydown' && this.#terminal.hasSelection()) {
        void this.copySelection()
        if (!event.shiftKey) this.#terminal.clearSelection()
        event.preventDefault()
      }
      return false
    }
    return true
  }

  #useWebgl(): void {
    try {
      const addon = new WebglAddon()
      addon.onContextLoss(() => addon.dispose())
      this.#terminal.loadAddon(addon)
    } catch {
      // Without WebGL xterm draws with the DOM: slower, and the same to look at.
    }
  }
}

function terminalTheme(): ITheme {
  const bright = Object.fromEntries(ANSI.map((name) => [`bright${name[0].toUpperCase()}${name.slice(1)}`, token(`ansi-bright-${name}`)]))
  return {
    ...Object.fromEntries(ANSI.map((name) => [name, token(`ansi-${name}`)])),
    ...bright,
    background: token('surface-sunken'),
    foreground: token('text'),
    cursor: token('accent'),
    cursorAccent: token('surface-sunken'),
    selectionBackground: token('code-selection'),
    scrollbarSliderBackground: `${token('text-faint')}40`,
    scrollbarSliderHoverBackground: `${token('text-faint')}66`,
    scrollbarSliderActiveBackground: `${token('text-faint')}80`,
  }
}

function searchDecorations(): NonNullable<ISearchOptions['decorations']> {
  return {
    matchBackground: token('sand-soft'),
    matchOverviewRuler: token('sand'),
    activeMatchBackground: token('code-selection'),
    activeMatchBorder: token('accent'),
    activeMatchColorOverviewRuler: token('accent'),
  }
}
