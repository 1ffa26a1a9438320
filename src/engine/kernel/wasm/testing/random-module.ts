import { Random } from '../../../random/random.ts'

/** Types that random code computes with. Floats stay out of it: the bits of a NaN are the host's choice. */
type Type = 'i32' | 'i64'
const TYPES: readonly Type[] = ['i32', 'i64']

interface Signature {
  params: Type[]
  results: Type[]
}

interface Label {
  /** What a branch to it carries. */
  values: Type[]
}

const FUNCTIONS = 5
const DEPTH_MAX = 5

/**
 * Random modules as text: nested blocks, loops and ifs with parameters and results, branches of every kind, direct and indirect
 * calls, memory. They always end: each loop and each function counts a global down and leaves when it is used up.
 */
export class RandomModule {
  private readonly random: Random
  private readonly signatures: Signature[]
  private readonly labels: Label[] = []
  private locals: Type[] = []
  /** Parameters come first and are always there. */
  private results: Type[] = []

  constructor(seed: number) {
    this.random = new Random(seed)
    this.signatures = Array.from({ length: FUNCTIONS }, () => ({ params: this.types(3), results: this.types(2) }))
    // What the test calls.
    this.signatures[0] = { params: ['i32', 'i64'], results: ['i32', 'i64'] }
  }

  text(): string {
    const functions = this.signatures.map((signature, index) => this.function(signature, index))
    const elements = this.signatures.map((_, index) => `$f${index}`).join(' ')
    return `(module (memory (export "memory") 1) (global $steps (mut i32) (i32.const 300))
      (table ${FUNCTIONS} funcref) (elem (i32.const 0) ${elements})\n${functions.join('\n')})`
  }

  private below(limit: number): number {
    return this.random.next() % limit
  }
  private pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]
  }
  private types(countMax: number): Type[] {
    return Array.from({ length: this.below(countMax + 1) }, () => this.pick(TYPES))
  }

  private function(signature: Signature, index: number): string {
    const extra = this.types(4)
    this.locals = [...signature.params, ...extra]
    this.results = signature.results
    const declared = extra.length === 0 ? '' : `(local ${extra.join(' ')})`
    const code = this.sequence(signature.results, 0)
    return `(func $f${index} (export "f${index}") ${types('param', signature.params)} ${types('result', signature.results)} ${declared}
      ${this.leaveWhenUsedUp(1)} ${code})`
  }

  private leaveWhenUsedUp(steps: number): string {
    const zeros = this.results.map((type) => `(${type}.const 0)`).join(' ')
    return `(global.set $steps (i32.sub (global.get $steps) (i32.const ${steps})))
      (if (i32.lt_s (global.get $steps) (i32.const 0)) (then (return ${zeros})))`
  }

  /** Statements, then the values. */
  private sequence(results: Type[], depth: number): string {
    const statements = Array.from({ length: this.below(3) }, () => this.statement(depth))
    return [...statements, ...results.map((type) => this.value(type, depth + 1))].join(' ')
  }

  private values(list: Type[], depth: number): string {
    return list.map((type) => this.value(type, depth)).join(' ')
  }

  private local(type: Type): number | null {
    const fitting = this.locals.flatMap((each, index) => (each === type ? [index] : []))
    return fitting.length === 0 ? null : this.pick(fitting)
  }

  private constant(type: Type): string {
    return `(${type}.const ${this.pick([0, 1, 2, 7, -1, 1000, 0x7fffffff])})`
  }

  private inside(label: Label, make: () => string): string {
    this.labels.push(label)
    const text = make()
    this.labels.pop()
    return text
  }

  /** Some construct that leaves these values on the stack. */
  private construct(results: Type[], depth: number): string {
    const params = this.below(3) === 0 ? this.types(2) : []
    const type = `${types('param', params)} ${types('result', results)}`
    const given = this.values(params, depth + 1)
    const drops = params.map(() => '(drop)').join(' ')
    switch (this.below(4)) {
      case 0:
        return `${given} (block ${type} ${drops} ${this.inside({ values: results }, () => this.sequence(results, depth + 1))})`
      case 1:
        return `${given} (loop ${type} ${drops} ${this.leaveWhenUsedUp(5)}
          ${this.inside({ values: params }, () => this.sequence(results, depth + 1))})`
      case 2: {
        const condition = this.value('i32', depth + 1)
        const arm = (): string => `${drops} ${this.inside({ values: results }, () => this.sequence(results, depth + 1))}`
        return `${given} ${condition} (if ${type} (then ${arm()}) (else ${arm()}))`
      }
      default: {
        // Both ways out of a block with values: a table of branches, and falling out of it.
        const label = this.labels.findLastIndex(({ values }) => `${values}` === `${results}`)
        const targets = label === -1 ? '0 0' : `0 ${this.labels.length - label} 0`
        return `(block ${types('result', results)} ${this.inside({ values: results }, () => this.values(results, depth + 1))}
          ${this.inside({ values: results }, () => this.value('i32', depth + 1))} (br_table ${targets}))`
      }
    }
  }

  private value(type: Type, depth: number): string {
    const local = this.local(type)
    if (depth >= DEPTH_MAX) return local === null || this.below(3) === 0 ? this.constant(type) : `(local.get ${local})`
    switch (this.below(10)) {
      case 0:
        return this.constant(type)
      case 1:
        return local === null ? this.constant(type) : `(local.get ${local})`
      case 2:
      case 3: {
        const operation = this.pick(['add', 'sub', 'mul', 'xor', 'and', 'shl', 'rotl', 'div_u', 'rem_s'])
        return `(${type}.${operation} ${this.value(type, depth + 1)} ${this.value(type, depth + 1)})`
      }
      case 4:
        return type === 'i32'
          ? `(i64.lt_s ${this.value('i64', depth + 1)} ${this.value('i64', depth + 1)})`
          : `(i64.extend_i32_s ${this.value('i32', depth + 1)})`
      case 5:
        return `(select ${this.value(type, depth + 1)} ${this.value(type, depth + 1)} ${this.value('i32', depth + 1)})`
      case 6:
        return `(${type}.load (i32.and ${this.value('i32', depth + 1)} (i32.const 1023)))`
      case 7:
        return this.call(type, depth)
      default:
        return this.construct([type], depth)
    }
  }

  /** A call whose results are dropped but for one of that type; a constant where no function has one. */
  private call(type: Type, depth: number): string {
    const index = this.pick(this.signatures.flatMap(({ results }, at) => (results.at(-1) === type ? [at] : [])))
    if (index === undefined) return this.constant(type)
    const { params, results } = this.signatures[index]
    const given = this.values(params, depth + 1)
    const made =
      this.below(3) === 0
        ? `${given} (call_indirect ${types('param', params)} ${types('result', results)} (i32.const ${index}))`
        : `${given} (call $f${index})`
    if (results.length === 1) return made
    const kept = this.locals.indexOf(type)
    return kept === -1 ? `${made} (drop) (drop) ${this.constant(type)}` : `${made} (local.set ${kept}) (drop) (local.get ${kept})`
  }

  private statement(depth: number): string {
    const type = this.pick(TYPES)
    const local = this.local(type)
    if (depth >= DEPTH_MAX) return '(nop)'
    switch (this.below(7)) {
      case 0:
        return local === null ? '(nop)' : `(local.set ${local} ${this.value(type, depth + 1)})`
      case 1:
        return `(${type}.store (i32.and ${this.value('i32', depth + 1)} (i32.const 1023)) ${this.value(type, depth + 1)})`
      case 2:
      case 3: {
        const results = this.types(2)
        return `${this.construct(results, depth + 1)} ${results.map(() => '(drop)').join(' ')}`
      }
      case 4: {
        if (this.labels.length === 0) return '(nop)'
        const back = this.below(this.labels.length)
        const { values } = this.labels[this.labels.length - 1 - back]
        const given = this.values(values, depth + 1)
        return `${given} ${this.value('i32', depth + 1)} (br_if ${back}) ${values.map(() => '(drop)').join(' ')}`
      }
      case 5:
        return `(memory.fill (i32.and ${this.value('i32', depth + 1)} (i32.const 511)) (i32.const ${this.below(256)}) (i32.const 300))`
      default:
        return `${this.values(this.results, depth + 1)} ${this.value('i32', depth + 1)} (br_if ${this.labels.length})
          ${this.results.map(() => '(drop)').join(' ')}`
    }
  }
}

const types = (word: string, list: readonly Type[]): string => (list.length === 0 ? '' : `(${word} ${list.join(' ')})`)
