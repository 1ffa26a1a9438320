import { Gpr, SegmentIndex, Vector } from '../machine/cpu/state.ts'
import { describeException } from './arch/exceptions.ts'
import { Gate, kernelToPhysical, kernelVirtual, readBootInfo } from './arch/gate.ts'
import type { BootInfo } from './arch/gate.ts'
import { writeGdt, writeTss } from './arch/gdt.ts'
import { FAST_SYSCALL, IDT_ENTRIES, IRQ_BASE, SYSCALL_VECTOR, writeIdt } from './arch/idt.ts'
import { PAGE_BYTES, hex } from './arch/layout.ts'
import { readMultibootInfo } from './arch/multiboot.ts'
import type { MultibootInfo } from './arch/multiboot.ts'
import { FrameOffset, TRAP_FRAME_BYTES, TrapFrame } from './arch/trap-frame.ts'
import { parseBootOptions } from './boot-options.ts'
import type { BootOptions } from './boot-options.ts'
import { Cost, copyCost } from './costs.ts'
import { reportFault } from './debug/fault-report.ts'
import type { Fault, FaultReporter } from './debug/fault-report.ts'
import { banner, formatLogLine } from './debug/log.ts'
import { describeKernelTrap, renderPanic } from './debug/panic.ts'
import type { Disassembler, Symbolizer } from './debug/symbols.ts'
import { Console } from './drivers/console.ts'
import { findE1000 } from './drivers/e1000.ts'
import type { E1000Driver } from './drivers/e1000.ts'
import { PicDriver } from './drivers/pic.ts'
import { PIT_IRQ, TICK_HZ, startTick } from './drivers/pit.ts'
import { COM1_IRQ, SerialDriver } from './drivers/serial.ts'
import { readCpio } from './fs/cpio.ts'
import { mountDevices, mountNetwork, mountProcesses, unpack } from './fs/mount.ts'
import { Descriptors, OpenFileTable, OpenFlag } from './fs/open-file.ts'
import { MessageQueues } from './ipc/message-queue.ts'
import { RamFileSystem } from './fs/ramfs.ts'
import { Vfs } from './fs/vfs.ts'
import type { KernelMachine } from './machine-port.ts'
import { AddressSpace } from './memory/address-space.ts'
import type { FrameAllocator } from './memory/frames.ts'
import { createFrameAllocator, createKernelTable } from './memory/kernel-space.ts'
import type { PageTable } from './memory/page-table.ts'
import { NetworkStack } from './net/stack.ts'
import { formatMac } from './net/wire/address.ts'
import { ElfError, parseElf } from './process/elf.ts'
import { resolvePageFault } from './process/faults.ts'
import { RANDOM_BYTES, buildStack, loadImage } from './process/loader.ts'
import { Family } from './process/family.ts'
import { Process, initialFx } from './process/process.ts'
import { Scheduler } from './process/scheduler.ts'
import { viewProcesses } from './process/view.ts'
import type { ProcessView } from './process/view.ts'
import { Signal, isIgnoredByDefault, signalName, signalStatus } from './process/signals.ts'
import { Channel } from './process/wait.ts'
import { Random } from '../random/random.ts'
import type { DoorServices } from './syscall/door.ts'
import { dispatch } from './syscall/dispatch.ts'
import { KernelError } from './syscall/errno.ts'
import { WasmFormatError } from './wasm/binary/bytes.ts'
import { isWasm } from './wasm/binary/module.ts'
import { compileForKernel } from './wasm/program-file.ts'
import { loadStub, newProgram } from './wasm/program.ts'
import type { WasmProgram } from './wasm/process-modules.ts'
import { WasmRuntime } from './wasm/runtime.ts'

const FIRST_PID = 1
/** Exit code of a machine whose kernel panicked. */
export const PANIC_EXIT_CODE = 70
/** Exit status of a machine whose first program could not be started, as shells have it. */
const CANNOT_START_STATUS = 126
/** The RAM file system may use this share of the frames. */
export const RAMFS_SHARE = 0.5
/** Tells the network's random numbers from those of other consumers of the seed. */
const NETWORK_STREAM = 0x6e657477
const KIB = 1024

const environment: readonly string[] = ['HOME=/', 'PATH=/bin', 'TERM=xterm-256color']

export interface KernelOptions {
  /** Names addresses of the boot image. */
  bootSymbolizer: Symbolizer
  /** Names addresses of the first program, as its file has them. */
  programSymbolizer: Symbolizer
  disassembler: Disassembler | null
}

interface LoadedProgram {
  space: AddressSpace
  bias: number
  context: TrapFrame
  /** What the process runs when the file is a WebAssembly module. */
  wasm: WasmProgram | null
}

/** A program that cannot be started is its owner's problem; every other exception is ours. */
const isRefusal = (error: unknown): error is Error =>
  error instanceof KernelError || error instanceof ElfError || error instanceof WasmFormatError

/** Names nothing. */
const nameless: Symbolizer = { locate: () => null }

export type KernelPhase = 'booting' | 'running' | 'exited' | 'panicked'

/**
 * The operating system: what happens when the processor comes through the gate. It holds no thread and no stack of its own between two
 * gates; what waits is data. Parts that boot sets up are there from Gate.START on.
 */
export class Kernel implements DoorServices {
  phase: KernelPhase = 'booting'
  /** Why it panicked, in one sentence. */
  panicReason = ''
  /** Why a process was last ended against its will, in one line; empty while none was. */
  lastFault = ''
  readonly scheduler = new Scheduler()
  readonly family = new Family(this.scheduler)
  readonly queues = new MessageQueues()
  readonly openFiles = new OpenFileTable()
  readonly wasm: WasmRuntime = new WasmRuntime(this)
  foregroundGroup = FIRST_PID
  readonly console: Console
  frames!: FrameAllocator
  vfs!: Vfs
  network!: NetworkStack
  random = new Random(0)
  private readonly machine: KernelMachine
  private readonly options: KernelOptions
  private readonly serial: SerialDriver
  private readonly pic: PicDriver
  private boot!: BootInfo
  private info!: MultibootInfo
  private table!: PageTable
  private bootOptions!: BootOptions
  /** Whose page tables and floating-point registers the processor holds; also while idle. */
  private loaded: Process | null = null
  /** Since when the current process has had the processor. */
  private runsSinceNs = 0
  private pipes = 0
  /** Null in a machine without one. */
  private card: E1000Driver | null = null

  constructor(machine: KernelMachine, options: KernelOptions) {
    this.machine = machine
    this.options = options
    this.serial = new SerialDriver(machine.ports)
    this.pic = new PicDriver(machine.ports)
    this.console = new Console(this.serial, this, {
      readable: () => this.scheduler.wake(Channel.CONSOLE_INPUT),
      interrupt: () => this.interruptForeground(),
    })
  }

  /** What the kernel knows of its processes, for inspectors. */
  processes(): ProcessView[] {
    return viewProcesses(this.scheduler)
  }

  /** Before this virtual time ticks change nothing that can be seen from outside; -Infinity when they might. */
  get idleUntilNs(): number {
    return this.phase === 'running' ? Math.min(this.scheduler.idleUntilNs, this.network.timers.nextDueNs) : -Infinity
  }

  get nowNs(): number {
    return this.machine.clock.nowNs
  }

  charge(ns: number): void {
    this.machine.charge(ns)
  }

  log(subsystem: string, text: string): void {
    this.console.writeLine(formatLogLine(this.nowNs, subsystem, text))
  }

  /** The processor executed VMCALL in ring 0. Whatever goes wrong in here ends in a panic screen, never in an exception of the host. */
  onHypercall(): void {
    const { cpu } = this.machine
    let frame: TrapFrame | null = null
    try {
      this.charge(Cost.GATE)
      const gate = Number(cpu.getGpr(Gpr.RAX))
      switch (gate) {
        case Gate.BOOT:
          this.setUpMemory()
          break
        case Gate.START:
          this.start(this.frameAt(cpu.getGpr(Gpr.RDI)))
          break
        case Gate.TRAP:
          frame = this.frameAt(cpu.getGpr(Gpr.RDI))
          this.trap(frame)
          break
        default:
          this.panic(`unknown gate ${gate}`, null, null)
      }
    } catch (error) {
      if (!(error instanceof Error)) throw error
      this.panic(`${error.name}: ${error.message}`, frame, error)
    }
  }

  // ---- boot

  /** Gate.BOOT: long mode on the stub's page tables. Builds ours and the descriptor tables, which the stub loads next. */
  private setUpMemory(): void {
    const { memory, cpu } = this.machine
    this.serial.initialise()
    this.step('boot', 'Multiboot, long mode, kernel gate')
    this.step('serial', 'COM1 16550, 115200 8N1')
    this.boot = readBootInfo(memory, kernelToPhysical(cpu.getGpr(Gpr.RDI)))
    this.info = readMultibootInfo(memory, Number(cpu.getGpr(Gpr.RSI)))
    this.bootOptions = parseBootOptions(this.info.commandLine)
    this.random = new Random(this.bootOptions.seed)

    const { boot } = this
    this.frames = createFrameAllocator(memory, boot, this.info)
    this.step('memory', `${memory.bytes / KIB} KiB of RAM, ${this.frames.total} frames of ${PAGE_BYTES} bytes free`)
    this.table = createKernelTable(memory, this.frames, boot)
    const kernelAt = hex(kernelVirtual(boot.imageStart))
    this.step('paging', `kernel at ${kernelAt}, no page both writable and executable, ${boot.guards.length} stack guards`)
    writeGdt(memory, boot.gdt, kernelVirtual(boot.tss))
    writeTss(memory, boot.tss, kernelVirtual(boot.kernelStackTop), kernelVirtual(boot.faultStackTop))
    this.step('gdt', 'kernel and user segments, TSS with ring 0 and fault stacks')
    writeIdt(memory, boot.idt, kernelVirtual(boot.trapEntries))
    this.step('idt', `${IDT_ENTRIES} gates, int 0x80 open to ring 3`)
    cpu.setGpr(Gpr.RAX, BigInt(this.table.root))
  }

  /** Gate.START: the tables are loaded. Sets up interrupts, files and the first process, and enters it. */
  private start(frame: TrapFrame): void {
    this.step('syscall', 'int 0x80 (Atoll) and SYSCALL (Linux)')
    this.pic.initialise(IRQ_BASE)
    this.step('pic', `8259 pair at vectors ${hex(IRQ_BASE)} to ${hex(IRQ_BASE + 15)}`)
    const divisor = startTick(this.machine.ports)
    this.pic.enable(PIT_IRQ)
    this.pic.enable(COM1_IRQ)
    this.step('pit', `timer at ${TICK_HZ} Hz, divisor ${divisor}`)
    this.network = this.createNetwork()
    this.mountFiles()
    this.startCard()
    this.step('scheduler', 'preemptive round robin')
    const init = this.startFirstProgram()
    if (init === null) return
    this.step('init', `${this.bootOptions.init} as process ${init.pid}, entering ring 3`)
    for (const line of banner) this.console.writeLine(line)
    this.phase = 'running'
    this.switchTo(this.scheduler.next(), frame)
  }

  private step(subsystem: string, text: string): void {
    this.charge(Cost.BOOT_STEP)
    this.log(subsystem, text)
  }

  private mountFiles(): void {
    const { memory } = this.machine
    const files = new RamFileSystem(memory, this.frames, Math.floor(this.frames.total * RAMFS_SHARE))
    this.vfs = new Vfs(files.root)
    mountDevices(files, this.console, this.nowNs)
    mountProcesses(files, () => this.processes(), () => this.wasm.views(), this.nowNs)
    mountNetwork(files, this.network, this.nowNs)
    let count = 0
    let bytes = 0
    for (const module of this.info.modules) {
      const archive = memory.read(module.start, module.end - module.start).slice()
      this.frames.add({ start: Math.ceil(module.start / PAGE_BYTES) * PAGE_BYTES, end: Math.ceil(module.end / PAGE_BYTES) * PAGE_BYTES })
      const unpacked = unpack(files, readCpio(archive), this.nowNs)
      count += unpacked.files
      bytes += unpacked.bytes
    }
    this.charge(copyCost(bytes))
    this.step('ramfs', `${count} file${count === 1 ? '' : 's'}, ${bytes} bytes; /dev: console null zero`)
  }

  private createNetwork(): NetworkStack {
    const { seed, network } = this.bootOptions
    const nowNs = (): number => this.nowNs
    return new NetworkStack(
      {
        get nowNs() {
          return nowNs()
        },
        random: new Random((seed ^ NETWORK_STREAM) >>> 0),
        wake: (channel) => this.scheduler.wake(channel),
        charge: (ns) => this.charge(ns),
        log: (text) => this.log('net', text),
      },
      network.hostname,
    )
  }

  /** Takes the machine's network card into use, if it has one. */
  private startCard(): void {
    const events = { link: (isUp: boolean): void => this.log('e1000', `link ${isUp ? 'up' : 'down'}`) }
    try {
      this.card = findE1000(this.machine, this.frames, events)
    } catch (error) {
      if (!(error instanceof KernelError)) throw error
      this.log('e1000', `no memory for rings and buffers: ${error.message}`)
    }
    if (this.card === null) return
    this.pic.enable(this.card.irq)
    this.step('e1000', `${formatMac(this.card.mac)} at ${this.card.place}, irq ${this.card.irq}`)
    this.network.attach(this.card, this.bootOptions.network)
  }

  /** The first process; null, and the machine's end, when its program cannot be started. */
  private startFirstProgram(): Process | null {
    const { init } = this.bootOptions
    let process: Process
    try {
      const program = this.loadProgram(init, '/', this.bootOptions.args, environment)
      process = new Process(this.family.newPid(), 0, init, program.space, new Descriptors(this.openFiles))
      process.imageBias = program.bias
      process.symbols = this.options.programSymbolizer
      process.context.set(program.context)
      this.wasm.of(process).program = program.wasm
    } catch (error) {
      if (!isRefusal(error)) throw error
      this.lastFault = `cannot start ${init}: ${error.message}`
      this.endMachine(CANNOT_START_STATUS, this.lastFault)
      return null
    }
    const consoleNode = this.vfs.resolve('/dev/console', '/')
    const terminal = process.descriptors.get(process.descriptors.open(consoleNode, OpenFlag.RDWR))
    process.descriptors.share(terminal)
    process.descriptors.share(terminal)
    this.scheduler.add(process)
    return process
  }

  /** A program in an address space of its own, with the registers it starts with. Throws KernelError, ElfError, WasmFormatError. */
  private loadProgram(path: string, from: string, args: readonly string[], variables: readonly string[]): LoadedProgram {
    const node = this.vfs.resolve(path, from)
    const file = node.kind === 'file' ? node.read(0, node.attributes().size) : null
    if (!(file instanceof Uint8Array)) throw new KernelError('EACCES')
    this.charge(Cost.EXEC + copyCost(file.length))
    if (isWasm(file)) return this.loadWasmProgram(path, file, args, variables)
    const image = parseElf(file, this.machine.memory.bytes)
    const space = this.newAddressSpace()
    try {
      loadImage(space, image, file)
      const { stack, argc, argv } = buildStack(space, image, path, args, variables, this.random.bytes(RANDOM_BYTES))
      const context = TrapFrame.blank()
      context.enterUser(image.entry, stack)
      context.setNumber(FrameOffset.RDI, argc)
      context.setNumber(FrameOffset.RSI, argv)
      return { space, bias: image.bias, context, wasm: null }
    } catch (error) {
      space.destroy()
      throw error
    }
  }

  private loadWasmProgram(path: string, file: Uint8Array, args: readonly string[], variables: readonly string[]): LoadedProgram {
    const wasm = newProgram(path.slice(path.lastIndexOf('/') + 1), file, compileForKernel(file), args, variables)
    const space = this.newAddressSpace()
    try {
      return { space, bias: 0, context: loadStub(space), wasm }
    } catch (error) {
      space.destroy()
      throw error
    }
  }

  /** Drops a page from the TLB while the space it belongs to is the processor's. */
  private invalidator(space: () => AddressSpace): (address: number) => void {
    return (address) => {
      if (this.loaded !== null && this.loaded.space === space()) this.machine.cpu.invalidatePage(BigInt(address))
    }
  }

  private newAddressSpace(): AddressSpace {
    const space: AddressSpace = new AddressSpace(this.machine.memory, this.frames, this.table, this.invalidator(() => space))
    return space
  }

  fork(process: Process, frame: TrapFrame): Process {
    this.charge(Cost.FORK)
    // Before anything is copied: a fork bomb must not cost the host more than it costs the machine.
    this.family.requireRoom()
    const space = this.newAddressSpace()
    try {
      process.memory.fork(space)
      return this.family.fork(process, frame, space, this.machine.cpu.fxsave())
    } catch (error) {
      space.destroy()
      throw error
    }
  }

  exec(process: Process, frame: TrapFrame, path: string, args: readonly string[], variables: readonly string[]): void {
    let program: LoadedProgram
    try {
      program = this.loadProgram(path, process.workingDirectory, args, variables)
    } catch (error) {
      if (error instanceof KernelError || !isRefusal(error)) throw error
      this.log('exec', `${path}: ${error.message}`)
      throw new KernelError('ENOEXEC')
    }
    const { cpu } = this.machine
    const before = process.memory
    this.wasm.release(process)
    cpu.setCr3(program.space.table.root)
    process.enter(path, program.space, program.bias)
    this.wasm.of(process).program = program.wasm
    before.destroy()
    cpu.fxrstor(initialFx())
    this.setSegmentBase('fs', 0n)
    this.setSegmentBase('gs', 0n)
    frame.set(program.context)
  }

  newPipeNumber(): number {
    return ++this.pipes
  }

  // ---- traps

  private frameAt(address: bigint): TrapFrame {
    const physical = kernelToPhysical(address)
    const { memory } = this.machine
    if (!memory.contains(physical, TRAP_FRAME_BYTES)) throw new RangeError(`trap frame at ${hex(address)} is outside memory`)
    return new TrapFrame(memory.view, physical)
  }

  /** Gate.TRAP: an interrupt, an exception or a system call. */
  private trap(frame: TrapFrame): void {
    const { vector } = frame
    const process = frame.fromUser ? this.scheduler.current : null
    if (process !== null && (vector === SYSCALL_VECTOR || vector === FAST_SYSCALL)) dispatch(this, process, frame)
    else if (vector >= IRQ_BASE && vector < IRQ_BASE + 16) this.interrupt(vector - IRQ_BASE)
    else if (process !== null) this.fault(process, frame)
    else this.panic(describeKernelTrap(frame, this.machine.cpu.cr2), frame, null)
    if (this.phase === 'running' && this.scheduler.due) this.reschedule(frame)
  }

  private interrupt(irq: number): void {
    this.charge(Cost.INTERRUPT)
    if (this.pic.isSpurious(irq)) return
    if (irq === PIT_IRQ) {
      this.scheduler.tick(this.nowNs)
      this.network.tick()
    } else if (irq === this.card?.irq) this.card.interrupt()
    else if (irq === COM1_IRQ) this.console.receive()
    this.pic.endOfInterrupt(irq)
  }

  private fault(process: Process, frame: TrapFrame): void {
    this.charge(Cost.PAGE_FAULT)
    const fault: Fault = { vector: frame.vector, error: frame.error, address: Number(this.machine.cpu.cr2) }
    if (fault.vector === Vector.PF) {
      const outcome = resolvePageFault(process, fault.address, fault.error)
      if (outcome === 'resolved') return
      if (outcome === 'no-memory') {
        this.kill(process, Signal.SIGKILL, [`atoll: out of memory (pid ${process.pid})`])
        return
      }
    }
    const reporter: FaultReporter = { symbolizer: process.symbols ?? nameless, disassembler: this.options.disassembler }
    this.kill(process, Signal[describeException(fault.vector).signal], reportFault(process, frame, fault, reporter))
  }

  kill(process: Process, signal: number, reasons: readonly string[]): void {
    const status = signalStatus(signal)
    const lines = [...reasons, `atoll: ${process.name} (pid ${process.pid}) ended by ${signalName(signal)}, status ${status}`]
    for (const line of lines) this.console.writeLine(line)
    this.lastFault = lines[0]
    this.exit(process, status, signal)
  }

  signal(process: Process, signal: number): void {
    if (process.state === 'zombie' || isIgnoredByDefault(signal) || (process.ignored.has(signal) && signal !== Signal.SIGKILL)) return
    this.exit(process, signalStatus(signal), signal)
  }

  // ---- processes

  exit(process: Process, status: number, signal = 0): void {
    this.charge(Cost.PROCESS_EXIT)
    this.accountTime()
    if (this.loaded === process) {
      this.machine.cpu.setCr3(this.table.root)
      this.loaded = null
    }
    this.wasm.release(process)
    process.descriptors.closeAll()
    process.memory.destroy()
    process.space = null
    process.state = 'zombie'
    process.exitStatus = status
    process.endSignal = signal
    this.scheduler.retire(process)
    this.family.bury(process)
    if (process.pid === FIRST_PID) this.endMachine(status, `${process.name} exited with status ${status}`)
  }

  setSegmentBase(segment: 'fs' | 'gs', base: bigint): void {
    const process = this.scheduler.current
    if (process === null) throw new Error('nobody runs whose segment base could be set')
    if (segment === 'fs') process.fsBase = base
    else process.gsBase = base
    this.machine.cpu.setSegmentBase(segment === 'fs' ? SegmentIndex.FS : SegmentIndex.GS, base)
  }

  /** No input will come any more after so many bytes have been received in all. */
  endInputAfter(bytes: number): void {
    this.console.endInputAfter(bytes)
  }

  private endMachine(status: number, reason: string): void {
    this.phase = 'exited'
    this.log('init', reason)
    this.machine.shutdown(status)
  }

  /** Control-C reaches every process of the group that the console belongs to. */
  private interruptForeground(): void {
    for (const process of [...this.scheduler.processes.values()])
      if (process.group === this.foregroundGroup) this.signal(process, Signal.SIGINT)
  }

  /** Books the time since the last look for who has the processor. */
  private accountTime(): void {
    const { current } = this.scheduler
    if (current !== null) current.cpuNs += this.nowNs - this.runsSinceNs
    this.runsSinceNs = this.nowNs
  }

  /** Gives the processor to who is next. `frame` holds the registers of who had it. */
  private reschedule(frame: TrapFrame): void {
    this.accountTime()
    const previous = this.scheduler.current
    const next = this.scheduler.next()
    if (next === previous && next !== null) return
    if (previous !== null) previous.context.set(frame)
    this.switchTo(next, frame)
  }

  /** Loads a process's registers, page tables and floating-point state; with null, the idle loop's. */
  private switchTo(next: Process | null, frame: TrapFrame): void {
    if (next === null) {
      frame.enterKernel(kernelVirtual(this.boot.idle), kernelVirtual(this.boot.idleStackTop))
      return
    }
    const { cpu } = this.machine
    frame.set(next.context)
    if (this.loaded === next) return
    this.charge(Cost.PROCESS_SWITCH)
    if (this.loaded !== null) this.loaded.fx = cpu.fxsave()
    cpu.fxrstor(next.fx)
    cpu.setCr3(next.memory.table.root)
    cpu.setSegmentBase(SegmentIndex.FS, next.fsBase)
    cpu.setSegmentBase(SegmentIndex.GS, next.gsBase)
    this.loaded = next
  }

  // ---- the end

  /** Stops the machine with the panic screen. */
  private panic(reason: string, frame: TrapFrame | null, error: Error | null): void {
    if (this.phase === 'panicked') return
    this.phase = 'panicked'
    this.panicReason = reason
    this.machine.shutdown(PANIC_EXIT_CODE)
    const { memory, cpu } = this.machine
    const { bootSymbolizer: symbolizer, disassembler } = this.options
    const context = { memory, symbolizer, disassembler, cr2: cpu.cr2, cr3: cpu.cr3 }
    // Registers explain an exception. With an interrupt or a system call it is our own code that failed.
    const shown = frame !== null && frame.vector < IRQ_BASE ? frame : null
    try {
      for (const line of renderPanic(reason, context, shown, error)) this.console.writeLine(line)
    } catch (failure) {
      this.panicReason += `; the panic screen failed as well: ${String(failure)}`
    }
  }
}
