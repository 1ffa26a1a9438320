import { describe, expect, it } from 'vitest'
import { Random } from '../../random/random.ts'
import { diagnoseLab } from './diagnose.ts'
import { JsonPlaces } from './places.ts'

const lab = `{
  "version": 1,
  "name": "Two hosts",
  "nodes": [
    { "id": "ana", "kind": "machine", "memory": "1MiB" },
    { "id": "bob", "kind": "router" },
    { "kind": "hub" }
  ],
  "links": [
    { "a": "ana", "b": "bob", "latency": 5 }
  ],
  "colour": {
    "red": 1
  }
}
`

/** Each mistake with the text it is about, as an editor underlines it. */
function mistakes(text: string): string[] {
  return diagnoseLab(text).map(({ line, column, endLine, endColumn, message }) => {
    expect(endLine).toBe(line)
    return `${line}:${column} ${text.split('\n')[line - 1].slice(column - 1, endColumn - 1)} | ${message}`
  })
}

describe('what is wrong in a lab.json', () => {
  it('stands where it is written, and what is missing stands where it is missing', () => {
    expect(mistakes(lab)).toMatchInlineSnapshot(`
      [
        "6:28 "router" | nodes[1].kind: expected "machine", "switch" or "hub", found "router" (Atoll has no routers yet)",
        "7:5 { "kind": "hub" } | nodes[2].id: expected a name of letters, digits and inner hyphens, at most 63 of them, found nothing",
        "10:42 5 | links[0].latency: expected a duration with its unit, such as "5ms", found 5",
        "12:13 { | colour: expected no property of this name, found an object",
      ]
    `)
    const known = lab
      .replace('"router"', '"hub"')
      .replace('{ "kind": "hub" }', '{ "id": "c", "kind": "hub" }')
      .replace('": 5 ', '": "5ms" ')
      .replace(/,\n {2}"colour"[^]*/, '\n}')
    expect(mistakes(known)).toMatchInlineSnapshot(`
      [
        "5:49 "1MiB" | nodes[0].memory: expected between 16MiB and 1GiB, found "1MiB"",
      ]
    `)
    expect(mistakes(known.replace('1MiB', '16MiB'))).toEqual([])
  })

  it('is a syntax error at the character that is none of JSON', () => {
    const wrong = [
      lab.replace('1,', '1'),
      lab.replace('5 }', '5, }'),
      '{ nodes: [] }',
      '{ "nodes" [] }',
      '{\n  "name": "x\n}',
      '{ "name": "C:\\x" }',
      '{ "seed": 07 }',
      '{ "seed": yes }',
      '[1] 2',
      '[',
      '',
    ]
    expect(wrong.flatMap(mistakes)).toMatchInlineSnapshot(`
      [
        "3:3 " | expected JSON, here "," or "}", found "\\""",
        "10:45 } | expected JSON, here a name in double quotes, found "}"",
        "1:3 n | expected JSON, here a name in double quotes, found "n"",
        "1:11 [ | expected JSON, here ":", found "["",
        "2:13  | expected JSON, here a quotation mark that ends the text, found the end of the line",
        "1:15 x | expected JSON, here one of " \\ / b f n r t u after a backslash, found "x"",
        "1:12 7 | expected JSON, here "," or "}", found "7"",
        "1:11 y | expected JSON, here a value, found "y"",
        "1:5 2 | expected JSON, here the end, found "2"",
        "1:2  | expected JSON, here a value, found the end of the file",
        "1:1  | expected JSON, here a value, found the end of the file",
      ]
    `)
  })
})

describe('the places of a JSON text', () => {
  it('are those that JSON.parse reads, and end where it ends', () => {
    const random = new Random(3)
    const pieces = ['{', '}', '[', ']', ',', ':', '"a"', '"\\n"', '"\\x"', '-1.5e3', '01', 'true', 'nul', ' ', '\n', '"', '\t']
    let read = 0
    for (let round = 0; round < 20_000; round++) {
      const text = Array.from({ length: 1 + (random.next() % 7) }, () => pieces[random.next() % pieces.length]).join('')
      let isJson = true
      try {
        JSON.parse(text)
        read += 1
      } catch {
        isJson = false
      }
      expect(new JsonPlaces(text).problem === undefined, JSON.stringify(text)).toBe(isJson)
    }
    expect(read).toBeGreaterThan(500)
  })

  it('do not go deeper than any lab', () => {
    expect(() => new JsonPlaces('['.repeat(1_000_000))).not.toThrow()
  })
})
