/** A reproducible stream of 32-bit numbers (Marsaglia's xorshift32). */
export class Random {
  private state: number
  constructor(seed: number) {
    this.state = seed | 0 || 1
  }
  next(): number {
    let { state } = this
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    this.state = state
    return state >>> 0
  }
  below(limit: number): number {
    return this.next() % limit
  }
  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]
  }
}

export const CODE = 0x100000
export const DATA = 0x200000
export const DATA_BYTES = 0x3000
export const STACK = 0x300000

const BLOCKS = 24
const ENDS = ['branch', 'branch', 'branch', 'branch', 'jump', 'call', 'return', 'indirect', 'fall'] as const
const i32 = (value: number): number[] => [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >> 24) & 0xff]

/**
 * Machine code for a tangle of blocks: random arithmetic on registers and memory (page-crossing included), branches,
 * calls, returns and indirect jumps between blocks, loops of every shape. It never ends and never leaves its memory:
 * RSI points at data, RSP stays in a stack filled with block addresses, R15 and RBX are left to addressing.
 */
export function randomProgram(seed: number): { code: Uint8Array; blocks: number[] } {
  const random = new Random(seed)
  const size = (): number => random.pick([1, 2, 4, 4, 4, 8, 8])
  /** RAX RCX RDX RDI RBP R8–R12. */
  const register = (): number => random.pick([0, 1, 2, 7, 5, 8, 9, 10, 11, 12])
  const prefix = (bytes: number, reg: number, rm: number): number[] => [
    ...(bytes === 2 ? [0x66] : []),
    0x40 | (bytes === 8 ? 8 : 0) | (reg >= 8 ? 4 : 0) | (rm >= 8 ? 1 : 0),
  ]
  /** r/m: a register, or [RSI + displacement]. */
  const operands = (reg: number, memory: boolean): { rm: number; bytes: number[] } => {
    if (!memory) {
      const rm = register()
      return { rm, bytes: [0xc0 | ((reg & 7) << 3) | (rm & 7)] }
    }
    return {
      rm: 6,
      bytes: [0x86 | ((reg & 7) << 3), ...i32(random.below(4) === 0 ? 0xff8 + random.below(16) : random.below(DATA_BYTES - 8))],
    }
  }
  /** REP STOS or REP MOVS within the data, overlapping or not, whatever lies between its pages. */
  const strings = (): number[] => {
    const bytes = size()
    const count = random.pick([0, 1, 2, 7, 40, 300, 300])
    const place = (): number[] => i32(random.below(DATA_BYTES - 8 * 300))
    const opcode = [0xf3, ...(bytes === 2 ? [0x66] : []), ...(bytes === 8 ? [0x48] : [])]
    // mov r13, rsi; lea rdi, [rsi + …]; mov ecx, …
    const begin = [0x49, 0x89, 0xf5, 0x48, 0x8d, 0xbe, ...place(), 0xb9, ...i32(count)]
    const wide = bytes === 1 ? 0 : 1
    if (random.below(2) === 0) return [...begin, ...opcode, 0xaa + wide]
    // lea rsi, [rsi + …]; …; mov rsi, r13
    return [...begin, 0x48, 0x8d, 0xb6, ...place(), ...opcode, 0xa4 + wide, 0x4c, 0x89, 0xee]
  }
  /** What functions do with the stack; it ends where it began, and what it leaves below are block addresses again. */
  const stack = (): number[] => {
    const count = 1 + random.below(4)
    const slot = (): number => 8 * random.below(count)
    const plain = (): number => random.pick([0, 1, 2, 7, 5])
    const out: number[] = []
    const some = (make: () => number[]): void => {
      if (random.below(2) === 0) out.push(...make())
    }
    const push = (): number[] =>
      random.pick([
        () => [0x50 + plain()], () => [0x41, 0x50 + random.below(5)], () => [0x6a, random.below(256)],
        () => [0xff, 0x74, 0x24, 8 * random.below(8)], () => [0xff, 0xb6, ...i32(random.below(DATA_BYTES - 8))],
      ])()
    for (let index = 0; index < count; index++) {
      out.push(...push())
      some(() => [0x48, 0x8b, 0x44 | (plain() << 3 & 0x38), 0x24, 8 * random.below(4)]) // mov reg, [rsp + …]
    }
    some(() => [0x48, 0x83, 0xec, 0x18, 0x48, 0x89, 0x4c, 0x24, 0x08, 0x48, 0x83, 0xc4, 0x18]) // sub rsp; mov [rsp + 8], rcx; add rsp
    some(() => [0x48, 0x01, 0x54, 0x24, slot()]) // add [rsp + …], rdx
    for (let index = 0; index < count; index++) out.push(...random.pick([[0x58 + plain()], [0x41, 0x58 + random.below(5)]]))
    // Each slot gets the address that is above all of them.
    out.push(0xff, 0x34, 0x24, 0x58) // push [rsp]; pop rax
    for (let index = 1; index <= 9; index++) out.push(0x48, 0x89, 0x44, 0x24, 256 - 8 * index) // mov [rsp - …], rax
    return out
  }
  const instruction = (): number[] => {
    if (random.below(60) === 0) return strings()
    if (random.below(25) === 0) return stack()
    const bytes = size()
    const wide = bytes === 1 ? 0 : 1
    const reg = register()
    const memory = random.below(3) === 0
    const { rm, bytes: modRm } = operands(reg, memory)
    const group = (opcode: number, extension: number, immediate: number[] = []): number[] => {
      const { rm: at, bytes: field } = operands(extension, memory)
      return [...prefix(bytes, 0, at), opcode, ...field, ...immediate]
    }
    switch (random.below(15)) {
      case 0:
      case 1:
      case 2:
        return [...prefix(bytes, reg, rm), random.below(8) * 8 + wide, ...modRm]
      case 3:
        return [...prefix(bytes, reg, rm), random.below(8) * 8 + 2 + wide, ...modRm]
      case 4:
        return group(0x80 + wide * 3, random.below(8), [random.below(256)])
      case 5:
        return group(0xc0 + wide, random.pick([0, 1, 4, 5, 7]), [random.below(70)])
      case 6:
        return group(0xd2 + wide, random.below(8))
      case 7:
        return group(0xfe + wide, random.below(2))
      case 8:
        return group(0xf6 + wide, random.pick([2, 3, 4, 5]))
      case 9:
        return [...prefix(bytes === 1 ? 4 : bytes, reg, rm), 0x0f, random.pick([0xb6, 0xbe, 0xb7, 0xbf, 0xaf, 0xbc, 0xbd]), ...modRm]
      case 10:
        return [...prefix(4, 0, rm), 0x0f, 0x90 + random.below(16), ...modRm]
      case 11:
        return [...prefix(bytes === 1 ? 4 : bytes, reg, rm), 0x0f, 0x40 + random.below(16), ...modRm]
      case 12:
        return [...prefix(bytes, reg, rm), 0x88 + wide + random.below(2) * 2, ...modRm]
      case 13:
        return random.pick([[0xf5], [0xf8], [0xf9], [0x9f], [0x48, 0x98], [0x99], [0x48, 0x8d, 0x46, 0x05]])
      default:
        return [...prefix(bytes, reg, rm), random.pick([0x84, 0x86]) + wide, ...modRm]
    }
  }

  // The shape first: how each block starts, its body, and how it ends, with targets by block number.
  const blocks = Array.from({ length: BLOCKS }, (_, index) => ({
    // Most blocks leave the flags as they come, so that flags cross from block to block.
    body: [...(random.below(4) === 0 ? KEEP_STACK : []), ...Array.from({ length: random.below(7) }, instruction).flat()],
    // The last block must not fall off the end.
    end: index === BLOCKS - 1 ? 'jump' : random.pick(ENDS),
    target: random.below(BLOCKS),
    cc: random.below(16),
  }))
  const endBytes = { branch: 6, jump: 5, call: 5, return: 1, indirect: 7, fall: 0 }
  const starts: number[] = []
  let at = CODE
  for (const { body, end } of blocks) {
    starts.push(at)
    at += body.length + endBytes[end]
  }
  const out: number[] = []
  for (const { body, end, target, cc } of blocks) {
    out.push(...body)
    const displacement = i32(starts[target] - (CODE + out.length) - endBytes[end])
    if (end === 'branch') out.push(0x0f, 0x80 + cc, ...displacement)
    else if (end === 'jump') out.push(0xe9, ...displacement)
    else if (end === 'call') out.push(0xe8, ...displacement)
    else if (end === 'return') out.push(0xc3)
    else if (end === 'indirect') out.push(0xff, 0xa4, 0x24, ...i32(8 * target)) // jmp [rsp + …]
  }
  return { code: Uint8Array.from(out), blocks: starts }
}

/** AND RSP, OR RSP: brings the stack back to the middle of what is filled. */
const KEEP_STACK = [0x48, 0x81, 0xe4, ...i32(STACK | 0xf00), 0x48, 0x81, 0xcc, ...i32(STACK | 0x80)]
