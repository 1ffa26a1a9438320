import { expect, test } from 'vitest'
import { SEGMENT_BYTES, State } from '../state.ts'
import { bareCpu } from '../testing/bare-cpu.ts'
import type { BareCpu } from '../testing/bare-cpu.ts'
import { Random } from '../testing/random-program.ts'

/**
 * INT n and IRETQ as tier 0 does them by itself, held against what they are in TypeScript, which is asked while a breakpoint is on: on
 * descriptors, gates, stacks and flags that are mostly as kernels have them and sometimes not.
 */

const CASES = 800
const GDT = 0x4000
const IDT = 0x5000
const TASK = 0x6000
const CODE = 0x100000
const STACKS = [0x110000, 0x120000]
const BREAKPOINT_FAR_AWAY = 0x3fff0000

/** Descriptors by index: null, code and data of ring 0, code and data of ring 3, what is odd, and the TSS. */
const DESCRIPTORS = [
  0n, 0x00af9b000000ffffn, 0x00cf93000000ffffn, 0x00affb000000ffffn, 0x00cff3000000ffffn, 0x00cf9b000000ffffn, 0x00af9f000000ffffn,
  0x00af1b000000ffffn, 0x00af9a000000ffffn, 0x00cff2000000ffffn, 0x00affb123456abcdn,
]
const TASK_SELECTOR = DESCRIPTORS.length * 8

interface Case {
  cs: number
  ss: number
  data: number[]
  flags: number
  instruction: number[]
  gate: bigint
  taskStack: bigint
  rsp: bigint
  frame: bigint[]
  limits: number[]
}

function draw(random: Random): Case {
  const pick = <T,>(usual: readonly T[], odd: readonly T[]): T => {
    const from = random.below(100) < 97 ? usual : odd
    return from[random.below(from.length)]
  }
  const isUser = random.below(2) === 1
  const selectors = [0x08, 0x10, 0x1b, 0x23, 0x28, 0x30, 0x38, 0x40, 0x4b, 0x53, 0, 3, 0x1c, 0x68, 0xfff8]
  const flags = (): number => pick([0x202, 0x2, 0x246, 0x8d7, 0x3202], [0x302, 0x4202, 0x10202, 0x20202, 0x240202, 0x1202])
  const stack = (): bigint => pick([0x110800n, 0x120ff8n, 0x121000n, 0x110010n], [0x0000800000000000n, 0x7fff0000n, 0x110003n])
  const handler = pick([0x08], selectors)
  const gateType = pick([0x8e, 0xee, 0x8f, 0xef], [0x0e, 0x85, 0x8c, 0x9e])
  const ist = pick([0], [1, 7])
  return {
    cs: isUser ? 0x1b : 0x08,
    ss: pick(isUser ? [0x23] : [0x10, 0], isUser ? [0x23] : [0x10]),
    data: Array.from({ length: 4 }, () => pick([0, 0x23], [0x10, 0x30])),
    flags: flags() & ~0x100,
    instruction: pick([[0xcd, 0x80], [0x48, 0xcf]], [[0xcd, 0xff], [0xcf], [0x66, 0xcf]]),
    gate: BigInt(CODE + 0x100) | (BigInt(handler) << 16n) | (BigInt(ist) << 32n) | (BigInt(gateType) << 40n),
    taskStack: stack(),
    rsp: stack(),
    frame: [
      pick([BigInt(CODE + 0x200)], [0x0000800000000000n, 0x7fff0000n]), BigInt(pick(isUser ? [0x1b] : [0x08, 0x1b], selectors)),
      BigInt(flags()), stack(), BigInt(pick(isUser ? [0x23] : [0x10, 0x23, 0], selectors)),
    ],
    limits: [pick([TASK_SELECTOR + 15], [0x1f, 0x8]), pick([0xfff], [0x7ff, 0x20]), pick([0x67], [0x8, 0xb])],
  }
}

function prepare(one: Case, inTypeScript: boolean): BareCpu {
  const bare = bareCpu({ tier: 'interpreter' })
  const { cpu, memory } = bare
  const { state, segments } = cpu.system
  DESCRIPTORS.forEach((descriptor, index) => memory.writeU64(GDT + index * 8, descriptor))
  memory.writeU64(0x1000, 0x2007n)
  memory.writeU64(0x2000, 0x87n)
  memory.writeU64(IDT + 0x800, one.gate)
  memory.writeU64(IDT + 13 * 16, BigInt(CODE + 0x300) | (0x08n << 16n) | (0x8en << 40n))
  for (const at of [4, 12, 20, 36]) memory.writeU64(TASK + at, one.taskStack)
  memory.write(CODE, Uint8Array.from(one.instruction))
  for (const at of [0x100, 0x200, 0x300]) memory.write(CODE + at, Uint8Array.of(0x90, 0x90, 0x90))
  state.u32[State.GDTR_BASE >> 2] = GDT
  state.u32[State.GDTR_LIMIT >> 2] = 0xffff
  state.u32[State.IDTR_BASE >> 2] = IDT
  const load = (segment: number, selector: number): void => {
    if (selector < 8) state.setSegment(segment, selector, 0x10000, 0, 0, 0)
    else {
      segments.fetch(selector)
      segments.install(segment, selector)
    }
  }
  load(1, one.cs)
  if (one.ss === 0) segments.loadNullStack(0, 0)
  else load(2, one.ss)
  ;[0, 3, 4, 5].forEach((segment, index) => load(segment, one.data[index]))
  state.u32[State.GDTR_LIMIT >> 2] = one.limits[0]
  state.u32[State.IDTR_LIMIT >> 2] = one.limits[1]
  state.setSegment(7, TASK_SELECTOR, 0x8b, TASK, 0, one.limits[2])
  cpu.setRflags(one.flags)
  if (one.rsp < 0x200000n) one.frame.forEach((value, index) => memory.writeU64(Number(one.rsp) + index * 8, value))
  cpu.setGpr(4, one.rsp)
  cpu.rip = BigInt(CODE)
  state.updateMode()
  // What the fast way needs is at hand.
  for (const at of [GDT, IDT, TASK, ...STACKS]) {
    for (const user of [false, true]) for (const access of [0, 1]) cpu.system.mmu.access(at, 0, access, user)
  }
  if (inTypeScript) {
    state.u32[(State.DR >> 2) + 0] = BREAKPOINT_FAR_AWAY
    state.u32[(State.DR >> 2) + 14] = 0x401
  }
  return bare
}

/** Registers, segments, system state, and both stacks. */
function outcome({ cpu, memory, snapshot }: BareCpu): string {
  const { u8, i32 } = cpu.system.state
  const hex = (from: number, to: number): string => Buffer.from(u8.subarray(from, to)).toString('hex')
  return [
    snapshot(), hex(State.SEGMENTS, State.SEGMENTS + 8 * SEGMENT_BYTES), i32[State.CPL >> 2], i32[State.MODE >> 2],
    i32[State.SYSFLAGS >> 2], cpu.shutdown, Buffer.from(memory.read(GDT, 0x80)).toString('hex'),
    ...STACKS.map((at) => Buffer.from(memory.read(at - 0x100, 0x1200)).toString('base64')),
  ].join('\n')
}

test('tier 0 enters and leaves handlers as TypeScript does', () => {
  const random = new Random(4)
  let fast = 0
  for (let index = 0; index < CASES; index++) {
    const one = draw(random)
    const [ours, theirs] = [prepare(one, false), prepare(one, true)]
    let isSlow = false
    const { system } = ours.cpu
    const execute = system.execute.bind(system)
    system.execute = (op) => {
      isSlow = true
      return execute(op)
    }
    ours.cpu.run(1)
    theirs.cpu.run(1)
    if (!isSlow) fast++
    const described = JSON.stringify(one, (_, value: unknown) => (typeof value === 'bigint' ? value.toString(16) : value))
    expect(outcome(ours), described).toBe(outcome(theirs))
  }
  // That many went the way which is tested here.
  expect(fast).toBeGreaterThan(CASES / 6)
})
