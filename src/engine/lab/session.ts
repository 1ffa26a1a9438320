import { Machine } from '../machine/machine.ts'
import type { Tier } from '../machine/cpu/cpu.ts'
import { Rflag } from '../machine/cpu/state.ts'
import { Kernel, PANIC_EXIT_CODE, RAMFS_SHARE } from '../kernel/kernel.ts'
import type { Disassembler, Symbolizer } from '../kernel/debug/symbols.ts'
import { readSymbolTable } from '../kernel/debug/symbols.ts'
import { quoteWord } from '../kernel/arch/multiboot.ts'
import type { CpioEntry } from '../kernel/fs/cpio.ts'
import { writeCpio } from '../kernel/fs/cpio.ts'
import { parseElf } from '../kernel/process/elf.ts'
import type { ProcessView } from '../kernel/process/view.ts'
import { isWasm } from '../kernel/wasm/binary/module.ts'
import { compileForKernel } from '../kernel/wasm/program-file.ts'
import { kernelMachine } from './kernel-machine.ts'

const RAM_BYTES_DEFAULT = 64 << 20
const PROGRAM_PERMISSIONS = 0o755
const FILE_PERMISSIONS = 0o644
/** Console bytes gathered before `onConsole` is called, at the latest at the end of `advance`. */
const CONSOLE_CHUNK_BYTES = 4096

/** How far an idle machine may stay behind before its ticks are made up for, so that this never takes long. */
const IDLE_NS_MAX = 20_000_000

/** As the service contract names them; `stopped` is the host's word for a machine that it no longer advances. */
export type MachinePhase = 'booting' | 'running' | 'halted' | 'exited' | 'panicked' | 'shutdown' | 'stopped'

export interface SessionStatus {
  phase: MachinePhase
  /** The first program's, or 70 after a panic. */
  exitStatus?: number
  /** Virtual nanoseconds since reset. */
  virtualNs: number
  /** Instructions retired since reset. */
  instructions: number
  /** One sentence when something went wrong. */
  message?: string
}

export interface SessionOptions {
  /** The boot image, an ELF made of assets/boot. */
  boot: Uint8Array
  program: {
    /** Absolute, where the file lies in the machine. */
    path: string
    /** A static ELF for x86-64, or a WebAssembly module. */
    bytes: Uint8Array
    /** argv after argv[0], which is `path`. */
    args: string[]
  }
  /** Further files of the RAM file system by absolute path. */
  files?: Map<string, Uint8Array>
  /** A multiple of 4096; 64 MiB unless said. */
  ramBytes?: number
  /** Of everything random in the machine; 0 unless said. */
  seed?: number
  tier?: Tier
  /** Names addresses of the program. Without it, the ELF's own symbol table does. */
  symbolizer?: Symbolizer
  /** Names addresses of the boot image. */
  bootSymbolizer?: Symbolizer
  disassembler?: Disassembler
  /** What the machine sends over its serial line, in order. The bytes are the receiver's to keep. */
  onConsole?: (bytes: Uint8Array) => void
  /** The same, byte by byte with the virtual time of each. */
  onConsoleByte?: (byte: number, timeNs: number) => void
  /**
   * A network controller with this address of six bytes, and what the kernel is told: a static IPv4 address such as `10.0.0.1/24`, and
   * what the machine is called. Without it the machine has no controller.
   */
  network?: { mac: Uint8Array; address?: string; hostname: string }
  /** A frame leaves the network controller at this virtual time. */
  onFrame?: (frame: Uint8Array, timeNs: number) => void
  /** What the machine's parts warn of by name: an instruction that is not there, a port without a device. */
  onWarning?: (message: string) => void
}

/** One machine with its kernel and files, driven by whoever owns the clock. The same calls give the same run, always. */
export class MachineSession {
  readonly machine: Machine
  readonly kernel: Kernel
  private readonly onConsole: (bytes: Uint8Array) => void
  private readonly onConsoleByte: (byte: number, timeNs: number) => void
  private typedBytes = 0
  private chunk = new Uint8Array(CONSOLE_CHUNK_BYTES)
  private chunkLength = 0

  /**
   * Throws ElfError or WasmFormatError when the program is none for this machine, RangeError when the memory asked for is not to be
   * had or too little for the files.
   */
  constructor(options: SessionOptions) {
    const ramBytes = options.ramBytes ?? RAM_BYTES_DEFAULT
    const { program } = options
    if (isWasm(program.bytes)) compileForKernel(program.bytes)
    else parseElf(program.bytes, ramBytes)
    const files = archive(options)
    if (files.length > ramBytes * RAMFS_SHARE)
      throw new RangeError(
        `files of ${mebibytes(files.length)} do not fit into a machine with ${mebibytes(ramBytes)} of memory, half of it for files`,
      )
    this.onConsole = options.onConsole ?? (() => {})
    this.onConsoleByte = options.onConsoleByte ?? (() => {})
    this.machine = new Machine({
      ramBytes,
      tier: options.tier,
      nic: options.network && { mac: options.network.mac },
      onWarning: options.onWarning,
      onHypercall: () => this.kernel.onHypercall(),
    })
    this.machine.serial.onTransmit = (byte) => this.transmit(byte)
    if (this.machine.nic !== undefined) this.machine.nic.onTransmit = options.onFrame ?? (() => {})
    this.kernel = new Kernel(kernelMachine(this.machine), {
      bootSymbolizer: options.bootSymbolizer ?? readSymbolTable(options.boot),
      programSymbolizer: options.symbolizer ?? readSymbolTable(program.bytes),
      disassembler: options.disassembler ?? null,
    })
    const { address, hostname } = options.network ?? {}
    const words = [`init=${program.path}`, `seed=${options.seed ?? 0}`]
    if (address !== undefined) words.push(`address=${address}`)
    if (hostname !== undefined) words.push(`hostname=${hostname}`)
    words.push('--', program.path, ...program.args)
    this.machine.loadMultiboot(options.boot, {
      commandLine: words.map(quoteWord).join(' '),
      modules: [{ bytes: files, commandLine: 'files' }],
    })
  }

  /** Runs until virtual time `untilNs`, or until the machine has ended. */
  advance(untilNs: number): void {
    this.machine.run(untilNs)
    this.flush()
  }

  /** Types bytes into the console; they arrive at the speed of the line. */
  type(bytes: Uint8Array): void {
    this.typedBytes += bytes.length
    this.machine.serial.receive(bytes)
  }

  /** Whoever reads the console gets what was typed so far, then the end of the file. */
  endInput(): void {
    this.kernel.endInputAfter(this.typedBytes)
  }

  /** A frame arrives at the network controller, if there is one. */
  receive(frame: Uint8Array): void {
    this.machine.nic?.receive(frame)
  }

  /** What the kernel knows of its processes; none before it runs. */
  processes(): ProcessView[] {
    return this.kernel.processes()
  }

  /**
   * Before this virtual time nothing can be seen to happen unless something comes in; now while the processor is awake. An idle kernel's
   * ticks cannot be seen.
   */
  get quietUntilNs(): number {
    const { cpu, interrupts, pit, clock, state } = this.machine
    if (state.kind !== 'running') return Infinity
    const isAsleep = cpu.halted && !(interrupts.pending && (cpu.getRflags() & Rflag.IF) !== 0)
    if (!isAsleep) return clock.nowNs
    const idleUntilNs = Math.min(this.kernel.idleUntilNs, clock.nextDueBesideNs(pit.timer), clock.nowNs + IDLE_NS_MAX)
    return Math.max(clock.nextDueNs, idleUntilNs)
  }

  status(): SessionStatus {
    const { state, clock, instructions } = this.machine
    const virtualNs = clock.nowNs
    if (this.kernel.phase === 'panicked') {
      const message = `kernel panic: ${this.kernel.panicReason}`
      return { virtualNs, instructions, phase: 'panicked', exitStatus: PANIC_EXIT_CODE, message }
    }
    switch (state.kind) {
      case 'running':
        return { virtualNs, instructions, phase: this.kernel.phase === 'booting' ? 'booting' : 'running' }
      case 'halted':
        return { virtualNs, instructions, phase: 'halted', message: 'the processor halted and nothing can wake it' }
      case 'off':
        return { virtualNs, instructions, phase: 'halted', message: 'the machine was switched off' }
      case 'shutdown':
        return { virtualNs, instructions, phase: 'shutdown', message: `the machine shut down: ${state.reason}` }
      case 'exited':
        return { virtualNs, instructions, phase: 'exited', exitStatus: state.code, message: this.kernel.lastFault || undefined }
    }
  }

  private transmit(byte: number): void {
    this.onConsoleByte(byte, this.machine.clock.nowNs)
    this.chunk[this.chunkLength++] = byte
    if (this.chunkLength === CONSOLE_CHUNK_BYTES) this.flush()
  }

  private flush(): void {
    if (this.chunkLength === 0) return
    const bytes = this.chunk.slice(0, this.chunkLength)
    this.chunkLength = 0
    this.onConsole(bytes)
  }
}

const mebibytes = (bytes: number): string => `${(bytes / (1 << 20)).toFixed(1)} MiB`

/** The machine's files as one cpio archive, the program among them. */
function archive({ program, files }: SessionOptions): Uint8Array {
  const contents = new Map(files ?? [])
  contents.set(program.path, program.bytes)
  return writeCpio(
    [...contents].map(([path, data]): CpioEntry => {
      const permissions = path === program.path ? PROGRAM_PERMISSIONS : FILE_PERMISSIONS
      return { path: path.replace(/^\/+/, ''), kind: 'file', permissions, data }
    }),
  )
}
