import { SHN_UNDEF, readSections, readSymbols } from './elf.ts'

/** `atoll`: freestanding, on Atoll's system calls, starts at `_start`. `posix`: on musl, starts at `main`. */
export type Abi = 'atoll' | 'posix'

/** One token of C that matters here: an identifier, or the inside of a string literal. */
interface Token {
  kind: 'identifier' | 'string'
  text: string
}

const LEXEME = new RegExp(
  [
    /\/\/(?:\\\r?\n|[^\n])*/u, // comment, which a backslash carries on to the next line
    /\/\*[\s\S]*?(?:\*\/|$)/u, // comment
    /"((?:\\[\s\S]|[^"\\\n])*)"?/u, // string
    /'(?:\\[\s\S]|[^'\\\n])*'?/u, // character
    /([\p{L}_$][\p{L}\p{N}_$]*)/u, // identifier
    /\.?\p{N}[\p{L}\p{N}_.]*/u // preprocessing number
  ].map(({ source }) => source).join('|'),
  'gu'
)

function* tokensOf(text: string): Generator<Token> {
  for (const match of text.matchAll(LEXEME)) {
    const [, string, identifier] = match
    if (string !== undefined) yield { kind: 'string', text: string }
    else if (identifier !== undefined) yield { kind: 'identifier', text: identifier }
  }
}

export interface EntryGuess {
  abi: Abi
  /**
   * `_start` is an ordinary C function and has to be called: aligned stack, argc and argv in registers. Otherwise it is the
   * entry point itself, as in assembly or a naked function.
   */
  called: boolean
}

/**
 * Guesses from a source's tokens which ABI it wants, so that it need not be compiled twice. Comments never count, and
 * strings count only as inline assembly may hold `_start:`. The object file has the last word: see definedEntry.
 */
export function guessEntry(text: string, language: 'c' | 'assembly'): EntryGuess {
  if (language === 'assembly') {
    const named = /(?<![\w.$])_start(?![\w.$])/.test(stripAssemblyComments(text))
    return { abi: named ? 'atoll' : 'posix', called: false }
  }
  let named = false
  let raw = false
  for (const token of tokensOf(text)) {
    if (token.kind === 'identifier' && token.text === '_start') named = true
    if (token.kind === 'identifier' && (token.text === 'naked' || token.text === '__naked__')) raw = true
    if (token.kind === 'string' && /(?<![\w.$])_start\s*:/.test(token.text.replace(/\\./gsu, ' '))) raw = named = true
  }
  return { abi: named ? 'atoll' : 'posix', called: named && !raw }
}

/** GNU as for x86 has `#` and C's comments. */
function stripAssemblyComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?(?:\*\/|$)|\/\/[^\n]*|#[^\n]*|"(?:\\.|[^"\\\n])*"?/g, ' ')
}

/**
 * The ABI that a compiled object asks for by the symbols it defines: `_start` before `main`, because a program that brings
 * its own `_start` may well call a function `main`. Undefined when it defines neither. Throws ElfError.
 */
export function definedEntry(object: Uint8Array): Abi | undefined {
  const names = new Set(readSymbols(readSections(object)).filter(symbol => symbol.section !== SHN_UNDEF).map(symbol => symbol.name))
  return names.has('_start') ? 'atoll' : names.has('main') ? 'posix' : undefined
}
