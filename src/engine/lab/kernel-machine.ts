import type { KernelMachine } from '../kernel/machine-port.ts'
import { FXSAVE_BYTES, fxrstor, fxsave } from '../machine/cpu/system/fxsave.ts'
import type { Machine } from '../machine/machine.ts'

const XMM_REGISTERS = 16

/** The machine as the kernel's port describes it. */
export function kernelMachine(machine: Machine): KernelMachine {
  const { cpu, mmio } = machine
  const double = new DataView(new ArrayBuffer(4))
  return {
    memory: machine.memory,
    ports: machine.ports,
    mmio: {
      read32: (physical) => {
        mmio.read(physical, 4, double)
        return double.getUint32(0, true)
      },
      write32: (physical, value) => {
        double.setUint32(0, value, true)
        mmio.write(physical, 4, double)
      },
    },
    clock: machine.clock,
    charge: (ns) => machine.charge(ns),
    shutdown: (code) => machine.shutdown(code),
    cpu: {
      getGpr: (index) => cpu.getGpr(index),
      setGpr: (index, value) => cpu.setGpr(index, value),
      get cr2() {
        return cpu.cr2
      },
      get cr3() {
        return cpu.cr3
      },
      setCr3: (physical) => cpu.setCr3(physical),
      invalidatePage: (address) => cpu.invalidatePage(address),
      fxsave: () => {
        const bytes = new Uint8Array(FXSAVE_BYTES)
        fxsave(cpu.system.state, bytes, XMM_REGISTERS)
        return bytes
      },
      fxrstor: (bytes) => fxrstor(cpu.system.state, bytes, XMM_REGISTERS),
      setSegmentBase: (index, base) => {
        const [low, high] = [base, base >> 32n].map((half) => Number(BigInt.asIntN(32, half)))
        cpu.system.state.setSegmentBase(index, low, high)
      },
    },
  }
}
