import type { languages } from 'monaco-editor/editor'

function words(text: string): string[] {
  return text.trim().split(/\s+/)
}

/**
 * WebAssembly text for Monaco's tokenizer. Lexical structure: WebAssembly Core Specification 3.0, 6.3 (idchar, string, number, line
 * and nested block comments, annotations); keywords: 6.4 to 6.6.
 */
export const watLanguage: languages.IMonarchLanguage = {
  defaultToken: '',
  tokenPostfix: '.wat',

  fields: words(`
    module type func param result local table memory global import export start elem data offset item declare tag rec sub
    final struct array field mut shared definition instance binary quote
  `),
  control: words(`
    block loop if then else end br br_if br_table br_on_null br_on_non_null br_on_cast br_on_cast_fail return return_call
    return_call_indirect return_call_ref call call_indirect call_ref unreachable nop drop select try_table catch catch_ref
    catch_all catch_all_ref throw throw_ref try delegate rethrow do
  `),
  types: words(`
    i8 i16 i32 i64 f32 f64 v128 funcref externref anyref eqref i31ref structref arrayref nullref nullfuncref nullexternref
    exnref extern any eq i31 none nofunc noextern exn ref null externaddr
  `),
  escapes: /\\(?:[tnr"'\\]|[0-9a-fA-F]{2}|u\{[0-9a-fA-F_]+\})/,

  tokenizer: {
    root: [
      { include: '@space' },
      [/\$"/, { token: 'variable', next: '@quotedId' }],
      [/\$[\w!#$%&'*+\-./:<=>?@\\^`|~]+/, 'variable'],
      [/"/, { token: 'string.quote', next: '@string' }],
      [/\(@[\w!#$%&'*+\-./:<=>?@\\^`|~]*/, 'annotation'],
      [/[()]/, '@brackets'],
      [/(?:offset|align)(?==)/, 'attribute.name'],
      [/=/, 'delimiter'],
      [/[+-]?(?:nan:0x[\da-fA-F][\da-fA-F_]*|nan|inf)(?![\w.])/, 'number.float'],
      [
        /[+-]?0x[\da-fA-F](?:_?[\da-fA-F])*(?:\.(?:[\da-fA-F](?:_?[\da-fA-F])*)?(?:[pP][+-]?\d(?:_?\d)*)?|[pP][+-]?\d(?:_?\d)*)/,
        'number.float',
      ],
      [/[+-]?0x[\da-fA-F](?:_?[\da-fA-F])*(?![\w.])/, 'number.hex'],
      [/[+-]?\d(?:_?\d)*(?:\.(?:\d(?:_?\d)*)?(?:[eE][+-]?\d(?:_?\d)*)?|[eE][+-]?\d(?:_?\d)*)/, 'number.float'],
      [/[+-]?\d(?:_?\d)*(?![\w.])/, 'number'],
      [/[if](?:8|16|32|64)x\d+(?=\s)/, 'type'],
      [
        /(?:[if](?:32|64)|v128|[if]\d+x\d+|memory|table|global|local|ref|struct|array|i31|any|extern|elem|data|atomic|func)\.[\w.]+/,
        'operator',
      ],
      [/[a-z][\w.]*/, { cases: { '@control': 'keyword.control', '@fields': 'keyword', '@types': 'type', '@default': 'identifier' } }],
      [/[^\s()";$]+/, 'invalid'],
    ],
    space: [
      [/\s+/, ''],
      [/;;.*$/, 'comment'],
      [/\(;/, { token: 'comment', next: '@blockComment' }],
    ],
    blockComment: [
      [/\(;/, { token: 'comment', next: '@push' }],
      [/;\)/, { token: 'comment', next: '@pop' }],
      [/[^(;]+/, 'comment'],
      [/[(;]/, 'comment'],
    ],
    string: [
      [/[^"\\]+/, 'string'],
      [/@escapes/, 'string.escape'],
      [/\\./, 'string.invalid'],
      [/"/, { token: 'string.quote', next: '@pop' }],
    ],
    quotedId: [
      [/[^"\\]+/, 'variable'],
      [/@escapes/, 'string.escape'],
      [/\\./, 'string.invalid'],
      [/"/, { token: 'variable', next: '@pop' }],
    ],
  },
}

export const watConfiguration: languages.LanguageConfiguration = {
  comments: { lineComment: ';;', blockComment: ['(;', ';)'] },
  brackets: [['(', ')']],
  autoClosingPairs: [
    { open: '(', close: ')' },
    { open: '(;', close: ';)' },
    { open: '"', close: '"', notIn: ['string', 'comment'] },
  ],
  surroundingPairs: [
    { open: '(', close: ')' },
    { open: '"', close: '"' },
  ],
  wordPattern: /\$?[\w!#%&'*+\-./:<=>?@^`|~]+/,
  indentationRules: { increaseIndentPattern: /^\s*\((?!.*\)\s*$).*$/, decreaseIndentPattern: /^\s*\)/ },
}
