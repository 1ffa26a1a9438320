import { describe, expect, it } from 'vitest'
import { Cause, Ctrl, Eecd, Eerd, Mdic, Register } from './registers.ts'
import { frameOf, MAC, Rig } from './testing/rig.ts'

describe('EEPROM (the manual, chapter 5)', () => {
  const readByEerd = (rig: Rig, address: number): number => {
    rig.write(Register.EERD, (address << Eerd.ADDR_SHIFT) | Eerd.START)
    const value = rig.read(Register.EERD)
    expect(value & Eerd.DONE).toBe(Eerd.DONE)
    return value >>> Eerd.DATA_SHIFT
  }

  it('holds the address, and its words sum up to 0xBABA (5.6.35)', () => {
    const rig = new Rig()
    const words = [...Array(64).keys()].map((address) => readByEerd(rig, address))
    expect(words.slice(0, 3)).toEqual([0x5452, 0x1200, 0x5634])
    expect(words.reduce((sum, word) => sum + word, 0) & 0xffff).toBe(0xbaba)
    expect(words.slice(0x0b, 0x0f)).toEqual([0x001e, 0x8086, 0x100e, 0x8086])
    expect(readByEerd(rig, 64)).toBe(0xffff)
  })

  it('answers on its Microwire bus what EERD answers', () => {
    const rig = new Rig()
    let lines = Eecd.REQ as number
    const set = (mask: number, on: boolean): void => {
      lines = on ? lines | mask : lines & ~mask
      rig.write(Register.EECD, lines)
    }
    const pulse = (): number => {
      set(Eecd.SK, true)
      const bit = (rig.read(Register.EECD) & Eecd.DO) !== 0 ? 1 : 0
      set(Eecd.SK, false)
      return bit
    }
    const readByBits = (address: number): number => {
      set(Eecd.CS, true)
      const instruction = (6 << 6) | address
      let last = 1
      for (let bit = 8; bit >= 0; bit--) {
        set(Eecd.DI, ((instruction >> bit) & 1) !== 0)
        last = pulse()
      }
      expect(last).toBe(0)
      set(Eecd.DI, false)
      let value = 0
      for (let bit = 0; bit < 16; bit++) value = (value << 1) | pulse()
      set(Eecd.CS, false)
      return value
    }
    set(Eecd.REQ, true)
    expect(rig.read(Register.EECD) & (Eecd.GNT | Eecd.PRES)).toBe(Eecd.GNT | Eecd.PRES)
    for (const address of [0, 1, 2, 0x0e, 0x3f]) expect(readByBits(address)).toBe(readByEerd(rig, address))
    expect(rig.warnings).toEqual([])
    set(Eecd.CS, true)
    for (const bit of [1, 0, 1, 0, 0, 0, 0, 0, 0]) {
      set(Eecd.DI, bit === 1)
      pulse()
    }
    expect(rig.warnings).toEqual(['e1000: EEPROM instruction 0x140 is not implemented: it can only be read'])
  })
})

describe('MDI (the manual, 13.4.7)', () => {
  const access = (rig: Rig, operation: number, register: number, data = 0, phy = 1): number => {
    const command = (operation << Mdic.OP_SHIFT) | (phy << Mdic.PHYADD_SHIFT) | (register << Mdic.REGADD_SHIFT) | data
    rig.write(Register.MDIC, command)
    const value = rig.read(Register.MDIC)
    expect(value & Mdic.R).toBe(Mdic.R)
    return value
  }
  const read = (rig: Rig, register: number): number => access(rig, Mdic.OP_READ, register) & 0xffff

  it('finds an M88E1011 at address 1, and nobody elsewhere', () => {
    const rig = new Rig()
    expect([read(rig, 2), read(rig, 3)]).toEqual([0x0141, 0x0c20])
    expect(access(rig, Mdic.OP_READ, 2, 0, 2) & Mdic.E).toBe(Mdic.E)
  })

  it('shows the link as it is', () => {
    const rig = new Rig()
    expect([read(rig, 1) & 0x24, read(rig, 17) & 0xac00, read(rig, 5)]).toEqual([0x24, 0xac00, 0x45e1])
    rig.nic.setLink(false)
    expect([read(rig, 1) & 0x24, read(rig, 17) & 0x0400, read(rig, 5)]).toEqual([0, 0, 0])
  })

  it('keeps what is written until its reset; self-clearing bits clear', () => {
    const rig = new Rig()
    access(rig, Mdic.OP_WRITE, 4, 0x01e1)
    access(rig, Mdic.OP_WRITE, 0, 0x1340)
    expect([read(rig, 4), read(rig, 0)]).toEqual([0x01e1, 0x1140])
    rig.write(Register.CTRL, Ctrl.RST)
    expect(read(rig, 4)).toBe(0x01e1)
    access(rig, Mdic.OP_WRITE, 0, 0x8000)
    expect([read(rig, 4), read(rig, 0)]).toEqual([0x0de1, 0x1140])
    read(rig, 29)
    access(rig, Mdic.OP_WRITE, 2, 7)
    expect(rig.warnings).toEqual([
      'e1000: PHY register 29 is not implemented: it reads 0',
      'e1000: PHY register 2 is not implemented or cannot be written: 0x7 ignored',
    ])
  })

  it('interrupts at the end of an access that asks for it', () => {
    const rig = new Rig()
    rig.write(Register.MDIC, Mdic.I | (Mdic.OP_READ << Mdic.OP_SHIFT) | (1 << Mdic.PHYADD_SHIFT))
    expect(rig.read(Register.ICR)).toBe(Cause.MDAC)
  })
})

describe('interrupts (the manual, 13.4.17 to 13.4.21)', () => {
  it('ICR clears by reading and by writing ones; ICS sets, and reads without clearing', () => {
    const rig = new Rig()
    rig.write(Register.ICS, 0xffffffff)
    expect(rig.read(Register.ICS)).toBe(0x1f6df)
    rig.write(Register.ICR, Cause.LSC | Cause.TXDW)
    expect(rig.read(Register.ICR)).toBe(0x1f6da)
    expect(rig.read(Register.ICR)).toBe(0)
  })

  it('the pin is asserted while a cause is set and enabled', () => {
    const rig = new Rig()
    rig.write(Register.ICS, Cause.LSC)
    expect(rig.line).toBe(false)
    rig.write(Register.IMS, Cause.LSC | Cause.RXT0)
    expect([rig.line, rig.read(Register.IMS)]).toEqual([true, Cause.LSC | Cause.RXT0])
    rig.write(Register.IMC, Cause.LSC)
    expect([rig.line, rig.read(Register.IMS)]).toEqual([false, Cause.RXT0])
    rig.write(Register.IMS, Cause.LSC)
    expect(rig.line).toBe(true)
    expect(rig.read(Register.ICR)).toBe(Cause.LSC)
    expect(rig.line).toBe(false)
  })

  it('ITR spaces them, in units of 256 ns', () => {
    const rig = new Rig()
    rig.write(Register.ITR, 500)
    rig.write(Register.IMS, Cause.LSC)
    const raise = (): void => {
      rig.write(Register.ICS, Cause.LSC)
      if (rig.line) rig.read(Register.ICR)
    }
    raise()
    rig.run(1000)
    raise()
    raise()
    rig.run(200_000)
    expect(rig.rises).toEqual([0, 128_000])
    rig.read(Register.ICR)
    rig.run(127_000)
    raise()
    expect(rig.rises).toHaveLength(3)
    rig.write(Register.ICS, Cause.LSC)
    expect(rig.line).toBe(false)
    rig.write(Register.ITR, 0)
    expect(rig.line).toBe(true)
  })
})

describe('control and status (the manual, 13.4.1 and 13.4.2)', () => {
  it('the link comes up with SLU and a cable, and LSC tells', () => {
    const rig = new Rig()
    expect(rig.read(Register.STATUS)).toBe(0x281)
    rig.write(Register.CTRL, Ctrl.FD | Ctrl.SLU)
    expect([rig.read(Register.STATUS), rig.read(Register.ICR)]).toEqual([0x283, Cause.LSC])
    rig.nic.setLink(true)
    expect(rig.read(Register.ICR)).toBe(0)
    rig.nic.setLink(false)
    expect([rig.read(Register.STATUS), rig.read(Register.ICR)]).toEqual([0x281, Cause.LSC])
    rig.write(Register.CTRL, Ctrl.RST)
    expect([rig.read(Register.CTRL), rig.read(Register.IMS)]).toEqual([Ctrl.FD, 0])
  })

  it('what is not there warns by name, offset and value, once', () => {
    const rig = new Rig()
    for (let i = 0; i < 2; i++) {
      rig.write(Register.CTRL, Ctrl.SLU | Ctrl.VME)
      rig.write(Register.FCTTV, 0x1234)
      rig.write(Register.WUC, 0)
      rig.write(Register.STATUS, 1)
      rig.write(0x5f00, 5)
      rig.read(Register.TDFH)
      rig.read(0x1fffc)
    }
    expect(rig.warnings).toEqual([
      'e1000: CTRL.VME (VLAN mode) is not implemented and has no effect',
      'e1000: register FCTTV at 0x170 = 0x1234 has no effect',
      'e1000: register STATUS at 0x8 cannot be written: 0x1 ignored',
      'e1000: register without a name at 0x5f00 is not implemented: 0x5 ignored',
      'e1000: register TDFH at 0x3410 is not implemented: it reads 0',
      'e1000: register without a name at 0x1fffc is not implemented: it reads 0',
    ])
  })

  it('a sweep over all registers, read and written, harms nobody', () => {
    const rig = new Rig()
    for (const value of [0, 0xffffffff, 0x55555555, 0xfbffffff]) {
      for (let offset = 0; offset < 0x20000; offset += 4) {
        rig.read(offset)
        rig.write(offset, value)
      }
      rig.nic.receive(frameOf(100, MAC))
      rig.run(1_000_000)
    }
    expect(rig.warnings.length).toBe(64)
  })

  it('narrow reads show a part of the register; narrow writes are refused', () => {
    const rig = new Rig()
    const view = new DataView(new ArrayBuffer(8))
    rig.mmio.read(0xfebc0000 + Register.RAL + 1, 1, view)
    expect(view.getUint8(0)).toBe(0x54)
    rig.mmio.read(0xfebc0000 + Register.RAL, 8, view)
    expect(view.getBigUint64(0, true)).toBe(0x8000563412005452n)
    rig.mmio.write(0xfebc0000 + Register.RAL, 2, view)
    expect(rig.warnings).toEqual(['e1000: a write of 2 bytes at 0x5400 is no whole register: ignored'])
    view.setBigUint64(0, 0x1234_0000_5678_9abcn, true)
    rig.mmio.write(0xfebc0000 + Register.RAL + 8, 8, view)
    expect([rig.read(Register.RAL + 8), rig.read(Register.RAL + 12)]).toEqual([0x56789abc, 0x12340000])
  })

  it('I/O space reaches the same registers (13.2.2)', () => {
    const rig = new Rig()
    rig.ports.out(0xc000, 4, Register.RAL)
    expect([rig.ports.in(0xc000, 4), rig.ports.in(0xc004, 4)]).toEqual([Register.RAL, 0x12005452])
    rig.ports.out(0xc004, 4, 7)
    expect(rig.read(Register.RAL)).toBe(7)
    expect(rig.ports.in(0xc008, 4)).toBe(0)
    expect(rig.warnings).toHaveLength(1)
  })

  it('refuses an address that is none', () => {
    const rig = new Rig()
    expect(rig.read(Register.RAL)).toBe(0x12005452)
    expect(() => new Rig().nic.receive(new Uint8Array(13))).toThrow('at least 14 bytes')
  })
})
