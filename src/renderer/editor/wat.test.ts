import { describe, expect, it } from 'vitest'
// @ts-expect-error Monaco ships no types for its tokenizer's insides; a whole editor needs a DOM.
import { compile } from 'monaco-editor/editor/standalone/common/monarch/monarchCompile'
// @ts-expect-error As above.
import { MonarchTokenizer } from 'monaco-editor/editor/standalone/common/monarch/monarchLexer'
import { watLanguage } from './wat.ts'

interface Line {
  tokens: { offset: number; type: string }[]
  endState: unknown
}
interface Tokenizer {
  getInitialState(): unknown
  tokenize(line: string, hasEol: boolean, state: unknown): Line
}

const configuration = { getValue: () => 20_000, onDidChangeConfiguration: () => ({ dispose: () => undefined }) }

/** `text:type` for each token that is no space, as the editor would colour it. */
function tokens(source: string): string[] {
  const tokenizer = new MonarchTokenizer(null, null, 'wat', compile('wat', watLanguage), configuration) as Tokenizer
  let state = tokenizer.getInitialState()
  return source.split('\n').flatMap((line) => {
    const result = tokenizer.tokenize(line, true, state)
    state = result.endState
    return result.tokens
      .map(({ offset, type }, index) => ({
        text: line.slice(offset, result.tokens[index + 1]?.offset ?? line.length),
        type: type.replace(/\.wat$/, ''),
      }))
      .filter(({ text, type }) => text.trim() !== '' && !type.startsWith('delimiter.parenthesis'))
      .map(({ text, type }) => `${text}:${type}`)
  })
}

describe('the WAT grammar', () => {
  it('knows a function by its parts', () => {
    expect(tokens('(func $add (export "add") (param $a i32) (result i32)')).toEqual([
      'func:keyword',
      '$add:variable',
      'export:keyword',
      '":string.quote',
      'add:string',
      '":string.quote',
      'param:keyword',
      '$a:variable',
      'i32:type',
      'result:keyword',
      'i32:type',
    ])
  })

  it('tells instructions from control', () => {
    expect(
      tokens('local.get 0 i32.const 42 i32.add br_if $loop call_indirect (type $t) memory.copy i32x4.extadd_pairwise_i16x8_s'),
    ).toEqual([
      'local.get:operator',
      '0:number',
      'i32.const:operator',
      '42:number',
      'i32.add:operator',
      'br_if:keyword.control',
      '$loop:variable',
      'call_indirect:keyword.control',
      'type:keyword',
      '$t:variable',
      'memory.copy:operator',
      'i32x4.extadd_pairwise_i16x8_s:operator',
    ])
  })

  it('reads numbers in all their spellings', () => {
    expect(tokens('-1_000 0xFF_ff +3.25e-4 0x1.8p+3 nan:0x7f_ffff -inf 1e9')).toEqual([
      '-1_000:number',
      '0xFF_ff:number.hex',
      '+3.25e-4:number.float',
      '0x1.8p+3:number.float',
      'nan:0x7f_ffff:number.float',
      '-inf:number.float',
      '1e9:number.float',
    ])
  })

  it('nests block comments over lines and ends line comments with them', () => {
    expect(tokens('(; one (; two\n;) still ;) nop ;; rest ( "')).toEqual([
      '(; one (; two:comment',
      ';) still ;):comment',
      'nop:keyword.control',
      ';; rest ( ":comment',
    ])
  })

  it('marks escapes in strings, good and bad, and does not end at an escaped quote', () => {
    expect(tokens(String.raw`"a\n\u{1F3DD}\ff\q\"" drop`)).toEqual([
      '":string.quote',
      'a:string',
      String.raw`\n\u{1F3DD}\ff:string.escape`,
      String.raw`\q:string.invalid`,
      String.raw`\":string.escape`,
      '":string.quote',
      'drop:keyword.control',
    ])
  })

  it('colours memory arguments, annotations and quoted names', () => {
    expect(tokens('i32.load offset=4 align=4 (@custom "x") $"a name"')).toEqual([
      'i32.load:operator',
      'offset:attribute.name',
      '=:delimiter',
      '4:number',
      'align:attribute.name',
      '=:delimiter',
      '4:number',
      '(@custom:annotation',
      '":string.quote',
      'x:string',
      '":string.quote',
      '$"a name":variable',
    ])
  })

  it('marks what no token can be', () => {
    expect(tokens('nop [x]')).toEqual(['nop:keyword.control', '[x]:invalid'])
  })
})
