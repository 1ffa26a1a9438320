import { MmioBus, PortBus } from './bus.ts'
import { Clock } from './clock.ts'
import type { CpuHost } from './cpu/core.ts'
import { Cpu, type Tier } from './cpu/cpu.ts'
import { NS_PER_INSTRUCTION, Rflag } from './cpu/state.ts'
import { ACPI_PORTS, AcpiPowerManagement, PM1A_EVT_BLK, SCI_IRQ } from './devices/acpi-power-management.ts'
import { InterruptControllers } from './devices/apic/interrupts.ts'
import { IO_APIC_BASE, IO_APIC_BYTES } from './devices/apic/io-apic.ts'
import { LOCAL_APIC_BASE, LOCAL_APIC_BYTES, readApicBase } from './devices/apic/local-apic.ts'
import { E1000 } from './devices/e1000/e1000.ts'
import { DEBUG_EXIT_PORT, DEBUG_EXIT_PORTS, DebugExit } from './devices/debug-exit.ts'
import { KEYBOARD_COMMAND_PORT, KEYBOARD_DATA_PORT, KeyboardController } from './devices/keyboard-controller.ts'
import { PCI_CONFIG_ADDRESS_PORT, PCI_CONFIG_DATA_PORT, PciConfiguration } from './devices/pci-configuration.ts'
import { hostBridge, isaBridge } from './devices/pci-bridges.ts'
import { PciCommand, PciRegister } from './devices/pci-function.ts'
import { PIC_ELCR_PORT, PIC_MASTER_PORT, PIC_SLAVE_PORT, type Pic8259Pair } from './devices/pic8259.ts'
import { PIT_PORT, Pit8254 } from './devices/pit8254.ts'
import { RTC_PORT, RealTimeClock } from './devices/rtc.ts'
import {
  POST_CODE_PORT,
  PostCode,
  SYSTEM_CONTROL_A_PORT,
  SYSTEM_CONTROL_B_PORT,
  SystemControlA,
  SystemControlB,
} from './devices/system-control.ts'
import { Uart16550 } from './devices/uart16550.ts'
import { writeAcpiTables } from './firmware/acpi.ts'
import { writeBiosData } from './firmware/bios-data.ts'
import { enterMultiboot } from './loader/entry-state.ts'
import { type KernelOptions, loadKernel } from './loader/load.ts'
import { BOOTLOADER_MAGIC, loadMultiboot, type MultibootOptions } from './loader/multiboot.ts'
import { PhysicalMemory } from './memory.ts'

export interface MachineOptions {
  /** A multiple of 4 KiB from 1 MiB to RAM_BYTES_MAX. */
  ramBytes: number
  /**
   * 'auto': interpret cold code, translate hot code. 'warm': the same, soon. 'interpreter': never translate. 'translator': translate at
   * first execution.
   */
  tier?: Tier
  /**
   * Called by the privileged hypercall instruction (VMCALL at CPL 0). Without it VMCALL is #UD. Runs inside `run`; may read
   * and write processor, memory and ports, and call `charge`.
   */
  onHypercall?: (machine: Machine) => void
  /** By name: an instruction not implemented (raised #UD), a register nobody implements. */
  onWarning?: (message: string) => void
  /** Date that the RTC starts from, in seconds since 1970; default 0. */
  rtcSeconds?: number
  /** A network controller: an Intel 82540EM at PCI 00:03.0. */
  nic?: {
    /** Six bytes. */
    mac: Uint8Array
  }
}

export type MachineState =
  | { kind: 'running' }
  /** HLT that nothing can end: interrupts are disabled, or every line is masked. */
  | { kind: 'halted' }
  /** A triple fault, or the guest pulled the reset line. */
  | { kind: 'shutdown'; reason: string }
  /** The guest switched the machine off through ACPI. */
  | { kind: 'off' }
  /** A write to the debug exit port, or `Machine.shutdown`. */
  | { kind: 'exited'; code: number }

export const SERIAL_PORT = 0x3f8
const Irq = { TIMER: 0, SERIAL: 4, RTC: 8, NIC: 11 } as const
/** Where the network controller is, and where firmware puts its ranges: as SeaBIOS does under QEMU 7.2. */
const NIC_DEVICE = 3
const NIC_MEMORY = 0xfebc0000
const NIC_IO = 0xc000

/** Instructions of one slice: generated code must return to its dispatcher now and then to be swapped for better code. */
const SLICE_INSTRUCTIONS_MAX = 1_000_000
/** Slices in a row without an instruction or an event: more are a bug of ours, not a guest's. */
const IDLE_SLICES_MAX = 1000

export type CreateCpu = (memory: PhysicalMemory, host: CpuHost, options: { tier: Tier }) => Cpu

/** A PC: processor, memory, buses and devices, driven by one virtual clock. The same inputs give the same run, always. */
export class Machine {
  readonly memory: PhysicalMemory
  readonly cpu: Cpu
  readonly ports: PortBus
  readonly mmio: MmioBus
  readonly clock = new Clock()
  /** COM1. */
  readonly serial: Uart16550
  readonly interrupts: InterruptControllers
  readonly pit: Pit8254
  readonly rtc: RealTimeClock
  readonly nic?: E1000
  state: MachineState = { kind: 'running' }
  /** Physical address of the ACPI root pointer. */
  readonly rsdp: number

  readonly #warn: (message: string) => void
  #retired = 0
  #inSlice = false
  readonly #elapsedNs = (): number => this.cpu.executedInRun() * NS_PER_INSTRUCTION

  /**
   * Throws RangeError when the memory asked for is not to be had.
   *
   * @param createCpu for tests of the board, which bring their own processor
   */
  constructor(options: MachineOptions, createCpu: CreateCpu = (memory, host, cpuOptions) => new Cpu(memory, host, cpuOptions)) {
    const warn = options.onWarning ?? (() => {})
    const { clock } = this
    this.#warn = warn
    this.memory = new PhysicalMemory(options.ramBytes)
    this.ports = new PortBus(warn)
    this.mmio = new MmioBus(warn)
    const interrupts = (this.interrupts = new InterruptControllers(clock, {
      onInterrupt: () => this.#replan(),
      onNmi: () => this.cpu.raiseNmi(),
      onTaskPriority: (cr8) => this.cpu.setCr8(cr8),
      warn,
    }))
    const line = (irq: number) => (high: boolean) => interrupts.setIrq(irq, high)
    this.pit = new Pit8254(clock, line(Irq.TIMER))
    this.serial = new Uart16550(clock, line(Irq.SERIAL))
    this.rtc = new RealTimeClock(clock, line(Irq.RTC), warn, options.rtcSeconds ?? 0, options.ramBytes)
    const pci = this.#attachPorts(warn)
    this.mmio.attach(IO_APIC_BASE, IO_APIC_BYTES, interrupts.io)
    this.mmio.attach(LOCAL_APIC_BASE, LOCAL_APIC_BYTES, interrupts.local)
    this.#leaveAsFirmware()
    writeBiosData(this.memory, SERIAL_PORT)
    this.rsdp = writeAcpiTables(this.memory, { pciInterrupts: [{ device: NIC_DEVICE, line: Irq.NIC }] })
    if (options.nic !== undefined) this.nic = this.#plugNic(pci, options.nic.mac, warn)

    const { onHypercall } = options
    this.cpu = createCpu(
      this.memory,
      {
        portIn: (port, size) => this.ports.in(port, size),
        portOut: (port, size, value) => this.ports.out(port, size, value),
        mmioRead: (physical, size, into) => this.mmio.read(physical, size, into),
        mmioWrite: (physical, size, from) => this.mmio.write(physical, size, from),
        hypercall: () => {
          if (onHypercall === undefined) return false
          onHypercall(this)
          return true
        },
        acknowledgeInterrupt: () => interrupts.acknowledge(),
        interruptPending: () => interrupts.pending,
        apic: {
          baseWritten: (lo) => this.#moveLocalApic(lo),
          taskPriorityWritten: (cr8) => (interrupts.local.taskPriority = cr8),
          get deadlineNs() {
            return interrupts.local.timer.deadlineNs
          },
          set deadlineNs(ns) {
            interrupts.local.timer.deadlineNs = ns
          },
        },
        nowNs: () => clock.nowNs,
        warn,
      },
      { tier: options.tier ?? 'auto' },
    )
    this.cpu.reset()
    clock.onEarlier = () => this.#replan()
  }

  /** The board's I/O space. Returns the PCI bus. */
  #attachPorts(warn: (message: string) => void): PciConfiguration {
    const { ports } = this
    const reset = (by: string) => () => this.#end({ kind: 'shutdown', reason: `the guest asked for a reset through ${by}` })
    const pci = new PciConfiguration(reset('the reset control register'))
    const keyboard = new KeyboardController(reset('the keyboard controller'), warn)
    const { pic } = this.interrupts
    ports.attach(PIC_MASTER_PORT, PIC_MASTER_PORT + 1, pic)
    ports.attach(PIT_PORT, PIT_PORT + 3, this.pit)
    ports.attach(KEYBOARD_DATA_PORT, KEYBOARD_DATA_PORT, keyboard)
    ports.attach(SYSTEM_CONTROL_B_PORT, SYSTEM_CONTROL_B_PORT, new SystemControlB(this.clock, this.pit))
    ports.attach(KEYBOARD_COMMAND_PORT, KEYBOARD_COMMAND_PORT, keyboard)
    ports.attach(RTC_PORT, RTC_PORT + 1, this.rtc)
    ports.attach(POST_CODE_PORT, POST_CODE_PORT, new PostCode())
    ports.attach(SYSTEM_CONTROL_A_PORT, SYSTEM_CONTROL_A_PORT, new SystemControlA(reset('system control port A'), warn))
    ports.attach(PIC_SLAVE_PORT, PIC_SLAVE_PORT + 1, pic)
    ports.attach(DEBUG_EXIT_PORT, DEBUG_EXIT_PORT + DEBUG_EXIT_PORTS - 1, new DebugExit((code) => this.shutdown(code)))
    ports.attach(SERIAL_PORT, SERIAL_PORT + 7, this.serial)
    ports.attach(PIC_ELCR_PORT, PIC_ELCR_PORT + 1, pic)
    ports.attach(PCI_CONFIG_ADDRESS_PORT, PCI_CONFIG_DATA_PORT + 3, pci)
    const sci = (asserted: boolean): void => this.interrupts.setIrq(SCI_IRQ, asserted)
    const powerManagement = new AcpiPowerManagement(this.clock, sci, () => this.#end({ kind: 'off' }), warn)
    ports.attach(PM1A_EVT_BLK, PM1A_EVT_BLK + ACPI_PORTS - 1, powerManagement)
    const board = { mmio: this.mmio, ports, warn, setIrq: () => {} }
    pci.attach(0, 0, hostBridge(board))
    pci.attach(1, 0, isaBridge(board))
    return pci
  }

  /** IA32_APIC_BASE: enables the local APIC, and says where its registers are. */
  #moveLocalApic(lo: number): void {
    const { local } = this.interrupts
    const { address, enabled } = readApicBase(lo)
    local.enabled = enabled
    this.mmio.detach(local)
    if (enabled) this.mmio.attach(address, LOCAL_APIC_BYTES, local)
  }

  /** The controller in its slot, its ranges placed and decoded, and its line level-triggered, as firmware leaves them. */
  #plugNic(pci: PciConfiguration, mac: Uint8Array, warn: (message: string) => void): E1000 {
    const { clock, memory, mmio, ports, interrupts } = this
    const nic = new E1000({ clock, memory, mac, board: { mmio, ports, warn, setIrq: (high) => interrupts.setIrq(Irq.NIC, high) } })
    pci.attach(NIC_DEVICE, 0, nic.pci)
    nic.pci.writeConfig(PciRegister.BAR0, NIC_MEMORY)
    nic.pci.writeConfig(PciRegister.BAR0 + 4, NIC_IO)
    nic.pci.writeConfig(PciRegister.INTERRUPT, Irq.NIC)
    nic.pci.writeConfig(PciRegister.STATUS_COMMAND, PciCommand.IO_SPACE | PciCommand.MEMORY_SPACE)
    ports.out(PIC_ELCR_PORT + 1, 1, 1 << (Irq.NIC - 8))
    return nic
  }

  /**
   * Interrupt controllers and timer as PC firmware leaves them, measured on SeaBIOS under QEMU 7.2: vectors 0x08 and 0x70, where a
   * kernel that enables interrupts without moving them learns what a double fault is, and 18.2 ticks a second.
   */
  #leaveAsFirmware(): void {
    const writes: [port: number, value: number][] = [
      [PIC_MASTER_PORT, 0x11],
      [PIC_MASTER_PORT + 1, 0x08],
      [PIC_MASTER_PORT + 1, 0x04],
      [PIC_MASTER_PORT + 1, 0x01],
      [PIC_MASTER_PORT + 1, 0xb8],
      [PIC_SLAVE_PORT, 0x11],
      [PIC_SLAVE_PORT + 1, 0x70],
      [PIC_SLAVE_PORT + 1, 0x02],
      [PIC_SLAVE_PORT + 1, 0x01],
      [PIC_SLAVE_PORT + 1, 0x8e],
      [PIT_PORT + 3, 0x34],
      [PIT_PORT, 0],
      [PIT_PORT, 0],
    ]
    for (const [port, value] of writes) this.ports.out(port, 1, value)
    this.interrupts.local.leaveAsFirmware()
  }

  /** The 8259 pair. */
  get pic(): Pic8259Pair {
    return this.interrupts.pic
  }

  /** Instructions retired since reset, exact also inside a hypercall. */
  get instructions(): number {
    return this.#retired + (this.#inSlice ? this.cpu.executedInRun() : 0)
  }

  /**
   * Loads a Multiboot 1 image (ELF32, ELF64, or flat with address fields) and leaves the processor at its entry as the
   * specification says. For a machine that has not run yet. Throws BadImage, with nothing changed.
   */
  loadMultiboot(image: Uint8Array, options: MultibootOptions = {}): void {
    if (this.instructions !== 0) throw new Error('an image can only be loaded into a machine that has not run yet')
    const entry = loadMultiboot(this.memory, image, options)
    for (const warning of entry.warnings) this.#warn(warning)
    enterMultiboot(this.memory, { ...entry, magic: BOOTLOADER_MAGIC })
  }

  /**
   * Loads a kernel of any format that loader/load.ts knows and leaves the processor at its entry. For a machine that has not run yet.
   * Throws BadImage, with nothing changed.
   */
  loadKernel(image: Uint8Array, name: string, options: KernelOptions = {}): void {
    if (this.instructions !== 0) throw new Error('an image can only be loaded into a machine that has not run yet')
    for (const warning of loadKernel(this.memory, image, name, { rsdp: this.rsdp, ...options })) this.#warn(warning)
  }

  /**
   * Runs until virtual time `untilNs`, or until the state is no longer 'running', and returns the state. It passes `untilNs` by
   * less than one instruction, or by what was charged. Events and interrupts arrive at exact instruction counts, wherever
   * calls of `run` are cut. A halted processor sleeps to the next event at no cost.
   */
  run(untilNs: number): MachineState {
    let idleSlices = 0
    while (this.state.kind === 'running') {
      this.clock.runDue()
      const nowNs = this.clock.nowNs
      if (nowNs >= untilNs) break
      const horizonNs = Math.min(this.clock.nextDueNs, untilNs)
      const asleep = this.cpu.halted && !this.cpu.nmiDeliverable && !(this.interrupts.pending && this.#interruptsEnabled)
      if (asleep) {
        if (!this.#wakeable || horizonNs === Infinity) this.#end({ kind: 'halted' })
        else this.clock.advance(horizonNs - nowNs)
        continue
      }
      const executed = this.#slice(horizonNs, Math.min(Math.ceil((horizonNs - nowNs) / NS_PER_INSTRUCTION), SLICE_INSTRUCTIONS_MAX))
      if (this.cpu.shutdown) this.#end({ kind: 'shutdown', reason: `triple fault: ${this.cpu.shutdownReason}` })
      idleSlices = executed === 0 && this.clock.nowNs === nowNs ? idleSlices + 1 : 0
      if (idleSlices > IDLE_SLICES_MAX) throw new Error(`the processor made no progress in ${IDLE_SLICES_MAX} slices at ${nowNs} ns`)
    }
    return this.state
  }

  #slice(horizonNs: number, instructions: number): number {
    this.clock.beginSlice(this.#elapsedNs, horizonNs)
    this.#inSlice = true
    let executed = 0
    try {
      executed = this.cpu.run(instructions)
    } finally {
      this.#inSlice = false
      this.clock.endSlice(executed * NS_PER_INSTRUCTION)
      this.#retired += executed
    }
    return executed
  }

  /** Charges virtual time for work done outside instructions (a hypercall's). Whole nanoseconds. */
  charge(ns: number): void {
    this.clock.advance(ns)
    this.#replan()
  }

  /** Ends the machine from outside instructions, as a kernel at the gate does. The first end counts. */
  shutdown(code: number): void {
    this.#end({ kind: 'exited', code })
  }

  get #interruptsEnabled(): boolean {
    return (this.cpu.getRflags() & Rflag.IF) !== 0
  }

  /** Whether an interrupt could ever end a HLT. */
  get #wakeable(): boolean {
    return this.#interruptsEnabled && this.interrupts.unmasked
  }

  #end(state: MachineState): void {
    if (this.state.kind !== 'running') return
    this.state = state
    this.#replan()
  }

  /** What changes the processor's next steps ends its slice, so that the next one is planned anew. */
  #replan(): void {
    if (this.#inSlice) this.cpu.requestStop()
  }
}
