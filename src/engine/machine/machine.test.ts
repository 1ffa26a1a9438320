import { describe, expect, it } from 'vitest'
import type { CpuCore, CpuHost } from './cpu/core.ts'
import type { Cpu } from './cpu/cpu.ts'
import { NS_PER_INSTRUCTION, Rflag } from './cpu/state.ts'
import { Machine, type MachineOptions } from './machine.ts'

/**
 * A processor whose program is a function called for every instruction. It honours requests to stop after the instruction
 * that made them, delivers interrupts at the start of a slice, and remembers when.
 */
class FakeCpu implements CpuCore {
  readonly host: CpuHost
  readonly program: (cpu: FakeCpu) => void
  interruptsEnabled = true
  halted = false
  nmiDeliverable = false
  shutdown = false
  shutdownReason = 'test'
  /** Instructions executed since reset, and at each interrupt. */
  executed = 0
  readonly interrupts: { vector: number; at: number; ns: number }[] = []
  slices = 0
  #inRun = 0
  #stop = false

  constructor(host: CpuHost, program: (cpu: FakeCpu) => void) {
    this.host = host
    this.program = program
  }
  reset(): void {}
  getRflags(): number {
    return this.interruptsEnabled ? Rflag.IF : 0
  }
  requestStop(): void {
    this.#stop = true
  }
  executedInRun(): number {
    return this.#inRun
  }
  run(instructions: number): number {
    this.slices++
    this.#stop = false
    this.#inRun = 0
    if (this.interruptsEnabled && this.host.interruptPending()) {
      this.halted = false
      this.interrupts.push({ vector: this.host.acknowledgeInterrupt(), at: this.executed, ns: this.host.nowNs() })
    }
    while (!this.halted && !this.shutdown && !this.#stop && this.#inRun < instructions) {
      this.#inRun++
      this.executed++
      this.program(this)
    }
    return this.#inRun
  }
}

function setUp(program: (cpu: FakeCpu, machine: Machine) => void, options: Partial<MachineOptions> = {}) {
  let cpu!: FakeCpu
  const warnings: string[] = []
  const machine: Machine = new Machine(
    { ramBytes: 1 << 20, onWarning: (message) => warnings.push(message), ...options },
    (_memory, host) => {
      cpu = new FakeCpu(host, (self) => program(self, machine))
      return cpu as unknown as Cpu
    },
  )
  const out = (port: number, ...values: number[]): void => values.forEach((value) => machine.ports.out(port, 1, value))
  out(0x20, 0x11)
  out(0x21, 0x20, 0x04, 0x01, 0x00)
  out(0xa0, 0x11)
  out(0xa1, 0x28, 0x02, 0x01, 0x00)
  return { machine, cpu, warnings, out }
}

/** Counter 0 in mode 2 with a cycle of `pulses`. */
function startTimer(out: (port: number, ...values: number[]) => void, pulses: number): void {
  out(0x43, 0x34)
  out(0x40, pulses & 0xff, pulses >> 8)
}

describe('Machine.run', () => {
  it('executes two nanoseconds an instruction up to the time it is given', () => {
    const { machine, cpu } = setUp(() => {})
    expect(machine.run(1001)).toEqual({ kind: 'running' })
    expect([cpu.executed, machine.instructions, machine.clock.nowNs]).toEqual([501, 501, 1002])
    machine.run(1002)
    expect(machine.instructions).toBe(501)
  })

  it('cuts slices so that generated code comes back', () => {
    const { machine, cpu, out } = setUp(() => {})
    out(0x43, 0x30)
    machine.run(5_000_000)
    expect(cpu.slices).toBe(3)
  })

  it('delivers timer interrupts at exact instruction counts, however the run is cut', () => {
    const once = setUp((cpu) => cpu.executed % 1000 === 0 && cpu.host.portOut(0x20, 1, 0x20))
    startTimer(once.out, 11_932)
    once.machine.run(100_000_000)
    const cut = setUp((cpu) => cpu.executed % 1000 === 0 && cpu.host.portOut(0x20, 1, 0x20))
    startTimer(cut.out, 11_932)
    for (let ns = 0; ns <= 100_000_000; ns += 123_457) cut.machine.run(ns)
    cut.machine.run(100_000_000)
    expect(once.cpu.interrupts).toHaveLength(9)
    expect(cut.cpu.interrupts).toEqual(once.cpu.interrupts)
    expect(cut.machine.instructions).toBe(once.machine.instructions)
    // The first edge after the load comes 11,932 pulses of 17,600 / 21 ns later.
    expect(once.cpu.interrupts[0].ns).toBe(Math.ceil(Math.ceil((11_933 * 17_600) / 21) / 2) * 2)
  })

  it('sleeps through HLT to the next event at no cost', () => {
    const { machine, cpu, out } = setUp((self) => {
      self.halted = true
      self.host.portOut(0x20, 1, 0x20)
    })
    startTimer(out, 1193)
    machine.run(1_000_000_000)
    expect(machine.clock.nowNs).toBe(1_000_000_000)
    expect(cpu.interrupts).toHaveLength(1000)
    expect(machine.instructions).toBe(1 + 1000)
  })

  it('replans when the guest programs a timer that comes sooner than the slice meant to end', () => {
    const { machine, cpu, out } = setUp((self) => {
      if (self.executed !== 10) return
      self.host.portOut(0x43, 1, 0x10)
      self.host.portOut(0x40, 1, 100)
    })
    out(0x43, 0x30)
    machine.run(1_000_000)
    const written = pulsesAt(10 * NS_PER_INSTRUCTION)
    expect(cpu.interrupts).toEqual([{ vector: 0x20, at: Math.ceil(((written + 101) * 17_600) / 21 / 2), ns: expect.any(Number) }])
  })

  it('gives exact time to what runs inside an instruction', () => {
    const times: number[] = []
    const { machine } = setUp((cpu) => cpu.executed % 7 === 0 && times.push(cpu.host.nowNs()))
    machine.run(30 * NS_PER_INSTRUCTION)
    expect(times).toEqual([14, 28, 42, 56])
  })

  it('delivers an interrupt that an instruction raises before the next one', () => {
    const { machine, cpu } = setUp((self) => {
      if (self.executed === 5) self.host.portOut(0x3fc, 1, 0x08)
      if (self.executed === 9) self.host.portOut(0x3f9, 1, 0x02)
    })
    machine.run(100)
    expect(cpu.interrupts.map(({ vector, at }) => [vector, at])).toEqual([[0x20 + 4, 9]])
  })

  it('types into the guest at the rate of the line', () => {
    const got: [number, number][] = []
    const { machine, out } = setUp((cpu) => {
      cpu.halted = true
      while ((cpu.host.portIn(0x3fd, 1) & 1) !== 0) got.push([cpu.host.portIn(0x3f8, 1), machine.clock.nowNs])
      cpu.host.portOut(0x20, 1, 0x20)
    })
    out(0x21, 0xef)
    out(0x3fb, 0x83)
    out(0x3f8, 1)
    out(0x3f9, 0)
    out(0x3fb, 0x03)
    out(0x3fc, 0x0b)
    out(0x3f9, 0x01)
    machine.run(1_000_000)
    machine.serial.receive(new TextEncoder().encode('ok'))
    machine.run(2_000_000)
    expect(got.map(([byte]) => byte)).toEqual([0x6f, 0x6b])
    expect(got[0][1] - 1_000_000).toBe(86_808)
  })
})

function pulsesAt(ns: number): number {
  return Math.floor((ns * 21) / 17_600)
}

describe('how a machine ends', () => {
  it('HLT with interrupts disabled', () => {
    const { machine } = setUp((cpu) => {
      cpu.interruptsEnabled = false
      cpu.halted = true
    })
    expect(machine.run(1e9)).toEqual({ kind: 'halted' })
    expect(machine.clock.nowNs).toBe(2)
  })

  it('HLT with every line masked', () => {
    const { machine, out } = setUp((cpu) => {
      cpu.halted = true
    })
    out(0x21, 0xff)
    expect(machine.run(1e9)).toEqual({ kind: 'halted' })
  })

  it('HLT that a keystroke could end is not an end', () => {
    const { machine, out } = setUp((cpu) => {
      cpu.halted = true
    })
    out(0x21, 0xef)
    expect(machine.run(1e9)).toEqual({ kind: 'running' })
    expect(machine.clock.nowNs).toBe(1e9)
  })

  it('a triple fault', () => {
    const { machine } = setUp((cpu) => {
      cpu.shutdown = true
    })
    expect(machine.run(1e9)).toEqual({ kind: 'shutdown', reason: 'triple fault: test' })
  })

  it('the debug exit port, with the value as it is, after that very instruction', () => {
    const { machine, cpu } = setUp((self) => self.executed === 3 && self.host.portOut(0xf4, 4, 0x10001))
    expect(machine.run(1e9)).toEqual({ kind: 'exited', code: 0x10001 })
    expect(cpu.executed).toBe(3)
    expect(machine.run(2e9)).toEqual({ kind: 'exited', code: 0x10001 })
    expect(cpu.executed).toBe(3)
  })

  it('a reset by keyboard controller, port 0x92 or reset control register', () => {
    for (const [port, value, by] of [
      [0x64, 0xfe, 'the keyboard controller'],
      [0x92, 3, 'system control port A'],
      [0xcf9, 6, 'the reset control register'],
    ] as const) {
      const { machine } = setUp((cpu) => cpu.host.portOut(port, 1, value))
      expect(machine.run(1e9)).toEqual({ kind: 'shutdown', reason: `the guest asked for a reset through ${by}` })
    }
  })

  it('shutdown from a hypercall; the first end counts', () => {
    const { machine, cpu } = setUp((self) => self.executed === 4 && self.host.hypercall(), {
      onHypercall: (self) => {
        self.charge(1000)
        self.shutdown(3)
        self.shutdown(4)
      },
    })
    expect(machine.run(1e9)).toEqual({ kind: 'exited', code: 3 })
    expect([cpu.executed, machine.clock.nowNs]).toEqual([4, 4 * NS_PER_INSTRUCTION + 1000])
  })
})

describe('Machine and its gate', () => {
  it('has no hypercall unless one is configured', () => {
    const answers: boolean[] = []
    const { machine } = setUp((cpu) => answers.push(cpu.host.hypercall()))
    machine.run(1)
    expect(answers).toEqual([false])
  })

  it('charges time inside a hypercall, and late events then come at once', () => {
    const { machine, cpu, out } = setUp((self) => self.executed === 10 && self.host.hypercall(), {
      onHypercall: (self) => self.charge(1_500_000),
    })
    startTimer(out, 1193)
    machine.run(1_500_100)
    expect(cpu.interrupts[0].at).toBe(10)
    expect(machine.instructions).toBe(50)
  })

  it('counts instructions exactly inside a hypercall', () => {
    const counts: number[] = []
    const { machine } = setUp((self) => self.executed % 4 === 0 && self.host.hypercall(), {
      onHypercall: (self) => counts.push(self.instructions),
    })
    machine.run(32)
    expect(counts).toEqual([4, 8, 12, 16])
  })
})

describe('the board', () => {
  it('leaves interrupt controllers and timer as firmware does', () => {
    let cpu!: FakeCpu
    const machine = new Machine({ ramBytes: 1 << 20 }, (_memory, host) => {
      cpu = new FakeCpu(host, () => {})
      return cpu as unknown as Cpu
    })
    expect([machine.ports.in(0x21, 1), machine.ports.in(0xa1, 1)]).toEqual([0xb8, 0x8e])
    machine.run(60_000_000)
    expect(cpu.interrupts.map(({ vector }) => vector)).toEqual([0x08])
  })

  it('names ports and addresses where nobody is', () => {
    const { cpu, warnings } = setUp(() => {})
    const value = new DataView(new ArrayBuffer(8))
    cpu.host.mmioRead(0xfed00020, 4, value)
    cpu.host.portIn(0x2f8, 1)
    expect(value.getUint32(0)).toBe(0xffffffff)
    expect(warnings).toEqual([
      'no device at physical address 0xfed00020: read of 4 bytes gives all ones',
      'no device at port 0x2f8: read of 1 byte gives all ones',
    ])
  })

  it('refuses memory that is not there to be had', () => {
    expect(() => new Machine({ ramBytes: 1000 })).toThrow(/multiple of 4 KiB/)
  })
})
