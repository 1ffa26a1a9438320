import { ByteWriter, WasmFormatError } from '../binary/bytes.ts'
import { ExternalKind, SectionId, copyExpression, isStorable, parseModule, typeOfFunction } from '../binary/module.ts'
import type { FunctionType, Limits, ParsedModule } from '../binary/module.ts'
import { Op, ValueType } from '../binary/opcodes.ts'
import { WasmLimit } from '../limits.ts'
import { parseBody } from './decode.ts'
import { Emitter } from './emitter.ts'
import { FunctionRewriter } from './function.ts'
import { Export, HELPERS, Layout, helperFunctions } from './layout.ts'
import { isLeaf, outline } from './outline.ts'
import { Suspension } from './suspension.ts'

/** Fuel of a call of the kernel. */
const IMPORT_COST = 100
const MAGIC_AND_VERSION = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)
const ELEMENTS_ACTIVE_WITH_TABLE = 2
const PASSIVE_FUNCTIONS_KIND = 0

/** A module that burns fuel and can be suspended, and what its users need to know of it. */
export interface InstrumentedModule {
  bytes: Uint8Array
  parsed: ParsedModule
}

/**
 * Rewrites a valid module. Its exports become `f` and the index for each exported function, the memory, and the globals that
 * steer it (layout.ts); its start function is left for the runtime to call. Throws WasmFormatError for what is not accepted.
 */
export function instrument(bytes: Uint8Array): InstrumentedModule {
  const parsed = parseModule(bytes)
  return { parsed, bytes: new ModuleWriter(parsed).write() }
}

class ModuleWriter {
  private readonly module: ParsedModule
  private readonly layout: Layout
  private readonly out = new ByteWriter().raw(MAGIC_AND_VERSION)

  constructor(module: ParsedModule) {
    this.module = module
    this.layout = new Layout(module)
  }

  write(): Uint8Array {
    const { module } = this
    this.types()
    this.section(SectionId.IMPORT, (out) => {
      out.u32(module.imports.length + helperFunctions.length)
      for (const { module: from, name, type } of module.imports) out.name(from).name(name).u8(ExternalKind.FUNCTION).u32(type)
      helperFunctions.forEach(({ name }, index) => {
        out.name(HELPERS).name(name).u8(ExternalKind.FUNCTION).u32(module.types.length + index)
      })
    })
    this.section(SectionId.FUNCTION, (out) => {
      out.u32(module.functions.length + module.imports.length)
      for (const type of module.functions) out.u32(type)
      for (const { type } of module.imports) out.u32(type)
    })
    const all = module.imports.length + module.functions.length
    this.section(SectionId.TABLE, (out) => {
      out.u32(module.tables.length + 1)
      for (const table of module.tables) limits(out.u8(table.type), table, WasmLimit.TABLE_ENTRIES)
      limits(out.u8(ValueType.FUNCREF), { min: all, max: all }, all)
    })
    const { memory } = module
    if (memory !== null) this.section(SectionId.MEMORY, (out) => limits(out.u32(1), memory, WasmLimit.MEMORY_PAGES))
    this.globals()
    this.exports()
    this.elements(all)
    if (module.dataCount !== null) this.section(SectionId.DATA_COUNT, (out) => out.u32(module.dataCount ?? 0))
    this.code()
    const { data } = module
    if (data !== null) this.section(SectionId.DATA, (out) => out.raw(data))
    if (this.out.length > WasmLimit.INSTRUMENTED_BYTES)
      throw new WasmFormatError(`it becomes ${this.out.length} bytes with its checks, at most ${WasmLimit.INSTRUMENTED_BYTES} are accepted`)
    return this.out.bytes
  }

  private section(id: number, write: (out: ByteWriter) => void): void {
    const contents = new ByteWriter()
    write(contents)
    this.out.section(id, contents)
  }

  private types(): void {
    const { types, typeBytes } = this.module
    this.section(SectionId.TYPE, (out) => {
      out.u32(types.length + helperFunctions.length).raw(typeBytes)
      for (const { type } of helperFunctions) functionType(out, type)
    })
  }

  private globals(): void {
    const { globals } = this.module
    this.section(SectionId.GLOBAL, (out) => {
      out.u32(globals.length + 4)
      for (const { type, isMutable, init } of globals) {
        out.u8(type, isMutable ? 1 : 0)
        copyExpression(init, out, (index) => this.layout.renumber(index))
      }
      for (const type of [ValueType.I64, ValueType.I64, ValueType.I32, ValueType.I32])
        out.u8(type, 1, type === ValueType.I64 ? Op.I64_CONST : Op.I32_CONST, 0, Op.END)
    })
  }

  private exports(): void {
    const { layout, module } = this
    const called = new Set(module.exports.filter(({ kind }) => kind === ExternalKind.FUNCTION).map(({ index }) => index))
    if (module.start !== null) called.add(module.start)
    this.section(SectionId.EXPORT, (out) => {
      out.u32(called.size + 4 + (module.memory === null ? 0 : 1))
      for (const index of called) out.name(`f${index}`).u8(ExternalKind.FUNCTION).u32(layout.renumber(index))
      const globals: [string, number][] = [
        [Export.FUEL, layout.fuel], [Export.REFILL, layout.refill], [Export.STATE, layout.state], [Export.STACK, layout.stack],
      ]
      for (const [name, index] of globals) out.name(name).u8(ExternalKind.GLOBAL).u32(index)
      if (module.memory !== null) out.name(Export.MEMORY).u8(ExternalKind.MEMORY).u32(0)
    })
  }

  private elements(all: number): void {
    const { layout, module } = this
    const renumber = (index: number): number => layout.renumber(index)
    this.section(SectionId.ELEMENT, (out) => {
      out.u32(module.elements.length + 1)
      for (const { mode, table, offset, type, functions, expressions } of module.elements) {
        const kind = mode === 'active' ? ELEMENTS_ACTIVE_WITH_TABLE : mode === 'passive' ? 1 : 3
        out.u32(kind | (functions === null ? 4 : 0))
        if (offset !== null) copyExpression(offset, out.u32(table), renumber)
        out.u8(functions === null ? type : PASSIVE_FUNCTIONS_KIND)
        if (functions !== null) {
          out.u32(functions.length)
          for (const index of functions) out.u32(renumber(index))
        } else {
          out.u32(expressions.length)
          for (const expression of expressions) copyExpression(expression, out, renumber)
        }
      }
      out.u32(ELEMENTS_ACTIVE_WITH_TABLE).u32(layout.ownTable).u8(Op.I32_CONST, 0, Op.END, PASSIVE_FUNCTIONS_KIND).u32(all)
      for (let index = 0; index < all; index++) out.u32(renumber(index))
    })
  }

  private code(): void {
    const { module, layout } = this
    const first = module.imports.length
    const bodies = module.bodies.map((bytes, index) => parseBody(bytes, typeOfFunction(module, first + index)))
    const leaves = bodies.map(isLeaf)
    const suspendable = (index: number): boolean => index < first || !leaves[index - first]
    this.section(SectionId.CODE, (out) => {
      out.u32(bodies.length + module.imports.length)
      bodies.forEach((body, index) => {
        const outlined = outline(body, leaves[index], suspendable)
        const rewritten = new FunctionRewriter(layout, first + index, body, outlined, suspendable).rewrite()
        out.u32(rewritten.length).raw(rewritten.bytes)
      })
      module.imports.forEach(({ type }, index) => {
        const wrapper = this.wrapper(index, module.types[type])
        out.u32(wrapper.length).raw(wrapper.bytes)
      })
    })
  }

  /**
   * Calls an imported function, which may suspend; resumed, it calls it again. It takes no share of the stack limit: there is never
   * more than one on the stack.
   */
  private wrapper(index: number, { params, results }: FunctionType): ByteWriter {
    if (![...params, ...results].every(isStorable)) {
      const { module, name } = this.module.imports[index]
      throw new WasmFormatError(`it imports "${module}" "${name}" with references, which is not accepted`)
    }
    const own = { place: params.length, scratch: params.length + 1, fuel: params.length + 2 }
    const types = [...params, ValueType.I32, ValueType.I32, ValueType.I64, ...results]
    const firstResult = params.length + 3
    const saved = params.map((_, variable) => variable)
    const suspension = new Suspension(this.layout, own)
    const code = new Emitter(0)
    code.out.u32(types.length - params.length)
    for (const type of types.slice(params.length)) code.out.u32(1).u8(type)
    code.blocks(1)
    suspension.entry(code, IMPORT_COST, [], saved, types)
    for (const variable of saved) code.get(variable)
    code.call(index)
    for (let at = results.length - 1; at >= 0; at--) code.set(firstResult + at)
    code.getGlobal(this.layout.state).if()
    suspension.suspend(code, 1)
    code.end()
    results.forEach((_, at) => code.get(firstResult + at))
    code.op(Op.RETURN).end()
    suspension.save(code, index, saved, types, results)
    return code.op(Op.END).out
  }
}

function limits(out: ByteWriter, { min, max }: Limits, limit: number): void {
  out.u8(1).u32(min).u32(Math.max(min, Math.min(max ?? limit, limit)))
}

function functionType(out: ByteWriter, { params, results }: FunctionType): void {
  out.u8(0x60).u32(params.length).u8(...params).u32(results.length).u8(...results)
}
