/**
 * Register offsets and bits of the Intel 82540EM.
 *
 * Source: Intel, PCI/PCI-X Family of Gigabit Ethernet Controllers Software Developer's Manual, order number 317453 ("the manual"
 * in this folder), chapter 13: table 13-2 and the sections named below.
 */

/** One 32-bit register. Without `read` it reads 0, without `write` a write is refused; both warn by name. */
export interface RegisterAccess {
  name: string
  read?: () => number
  write?: (value: number) => void
}

/** By offset. */
export type RegisterMap = Map<number, RegisterAccess>

export const Register = {
  CTRL: 0x0000,
  STATUS: 0x0008,
  EECD: 0x0010,
  EERD: 0x0014,
  CTRL_EXT: 0x0018,
  FLA: 0x001c,
  MDIC: 0x0020,
  FCAL: 0x0028,
  FCAH: 0x002c,
  FCT: 0x0030,
  VET: 0x0038,
  ICR: 0x00c0,
  ITR: 0x00c4,
  ICS: 0x00c8,
  IMS: 0x00d0,
  IMC: 0x00d8,
  RCTL: 0x0100,
  FCTTV: 0x0170,
  TXCW: 0x0178,
  RXCW: 0x0180,
  TCTL: 0x0400,
  TIPG: 0x0410,
  AIFS: 0x0458,
  LEDCTL: 0x0e00,
  PBA: 0x1000,
  FCRTL: 0x2160,
  FCRTH: 0x2168,
  RDFH: 0x2410,
  RDFT: 0x2418,
  RDFHS: 0x2420,
  RDFTS: 0x2428,
  RDFPC: 0x2430,
  RDBAL: 0x2800,
  RDBAH: 0x2804,
  RDLEN: 0x2808,
  RDH: 0x2810,
  RDT: 0x2818,
  RDTR: 0x2820,
  RXDCTL: 0x2828,
  RADV: 0x282c,
  RSRPD: 0x2c00,
  TXDMAC: 0x3000,
  TDFH: 0x3410,
  TDFT: 0x3418,
  TDFHS: 0x3420,
  TDFTS: 0x3428,
  TDFPC: 0x3430,
  TDBAL: 0x3800,
  TDBAH: 0x3804,
  TDLEN: 0x3808,
  TDH: 0x3810,
  TDT: 0x3818,
  TIDV: 0x3820,
  TXDCTL: 0x3828,
  TADV: 0x382c,
  TSPMT: 0x3830,
  RXCSUM: 0x5000,
  /** 128 registers. */
  MTA: 0x5200,
  /** 16 pairs of RAL and RAH. */
  RAL: 0x5400,
  RAH: 0x5404,
  /** 128 registers. */
  VFTA: 0x5600,
  WUC: 0x5800,
  WUFC: 0x5808,
  WUS: 0x5810,
  MANC: 0x5820,
  IPAV: 0x5838,
  WUPL: 0x5900,
} as const

/** Device control, 13.4.1. */
export const Ctrl = {
  FD: 1 << 0,
  LRST: 1 << 3,
  ASDE: 1 << 5,
  SLU: 1 << 6,
  ILOS: 1 << 7,
  SPEED_SHIFT: 8,
  FRCSPD: 1 << 11,
  FRCDPX: 1 << 12,
  RST: 1 << 26,
  RFCE: 1 << 27,
  TFCE: 1 << 28,
  VME: 1 << 30,
  PHY_RST: 1 << 31,
} as const
export const SPEED_1000 = 2

/** Device status, 13.4.2. */
export const Status = { FD: 1 << 0, LU: 1 << 1, SPEED_SHIFT: 6, ASDV_SHIFT: 8 } as const

/** EEPROM and Flash control, 13.4.3. */
export const Eecd = {
  SK: 1 << 0,
  CS: 1 << 1,
  DI: 1 << 2,
  DO: 1 << 3,
  REQ: 1 << 6,
  GNT: 1 << 7,
  PRES: 1 << 8,
  /** SK, CS, DI, flash write enable and REQ. */
  WRITABLE: 0x77,
} as const
/** EEPROM read, 13.4.4. */
export const Eerd = { START: 1 << 0, DONE: 1 << 4, ADDR_SHIFT: 8, DATA_SHIFT: 16 } as const

/** MDI control, 13.4.7. */
export const Mdic = {
  REGADD_SHIFT: 16,
  PHYADD_SHIFT: 21,
  OP_SHIFT: 26,
  OP_WRITE: 1,
  OP_READ: 2,
  R: 1 << 28,
  I: 1 << 29,
  E: 1 << 30,
} as const

/** Interrupt causes: ICR, ICS, IMS and IMC, 13.4.17 and 13.4.19 to 13.4.21. */
export const Cause = {
  TXDW: 1 << 0,
  TXQE: 1 << 1,
  LSC: 1 << 2,
  RXSEQ: 1 << 3,
  RXDMT0: 1 << 4,
  RXO: 1 << 6,
  RXT0: 1 << 7,
  MDAC: 1 << 9,
  RXCFG: 1 << 10,
  PHYINT: 1 << 12,
  GPI_SDP6: 1 << 13,
  GPI_SDP7: 1 << 14,
  TXD_LOW: 1 << 15,
  SRPD: 1 << 16,
} as const
export const CAUSES = Object.values(Cause).reduce((mask, bit) => mask | bit, 0)

/** Receive control, 13.4.22. */
export const Rctl = {
  EN: 1 << 1,
  SBP: 1 << 2,
  UPE: 1 << 3,
  MPE: 1 << 4,
  LPE: 1 << 5,
  LBM: 3 << 6,
  RDMTS_SHIFT: 8,
  MO_SHIFT: 12,
  BAM: 1 << 15,
  BSIZE_SHIFT: 16,
  VFE: 1 << 18,
  CFIEN: 1 << 19,
  CFI: 1 << 20,
  DPF: 1 << 22,
  PMCF: 1 << 23,
  BSEX: 1 << 25,
  SECRC: 1 << 26,
} as const

/** Transmit control, 13.4.33. */
export const Tctl = { EN: 1 << 1, PSP: 1 << 3 } as const

/** Receive and transmit delays: RDTR 13.4.30, RADV 13.4.31, TIDV 13.4.41, TADV 13.4.44. */
export const DELAY_UNIT_NS = 1024
export const DELAY_FPD = 1 << 31

/** Receive address high, 13.5.3. */
export const Rah = { AS: 3 << 16, AV: 1 << 31 } as const

export const RECEIVE_ADDRESSES = 16
export const MTA_REGISTERS = 128
export const VFTA_REGISTERS = 128
