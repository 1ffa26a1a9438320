/**
 * Registers of the local APIC, as offsets from its base. Source: Intel SDM vol. 3, chapter 11 "Advanced programmable interrupt
 * controller", table 11-1.
 */
export const Register = {
  ID: 0x020,
  VERSION: 0x030,
  TPR: 0x080,
  APR: 0x090,
  PPR: 0x0a0,
  EOI: 0x0b0,
  RRD: 0x0c0,
  LDR: 0x0d0,
  DFR: 0x0e0,
  SVR: 0x0f0,
  ISR: 0x100,
  TMR: 0x180,
  IRR: 0x200,
  ESR: 0x280,
  ICR_LOW: 0x300,
  ICR_HIGH: 0x310,
  LVT_TIMER: 0x320,
  LVT_THERMAL: 0x330,
  LVT_PERFORMANCE: 0x340,
  LVT_LINT0: 0x350,
  LVT_LINT1: 0x360,
  LVT_ERROR: 0x370,
  INITIAL_COUNT: 0x380,
  CURRENT_COUNT: 0x390,
  DIVIDE: 0x3e0,
} as const

/** Version 14H, and the index of the last LVT entry: six of them (11.4.8). */
export const VERSION = 0x00050014

/** Spurious-interrupt vector register (11.9, figure 11-23). */
export const Svr = { VECTOR: 0xff, ENABLE: 1 << 8, FOCUS: 1 << 9 } as const
/** Local vector table entries (11.5.1, figure 11-8). */
export const Lvt = {
  VECTOR: 0xff,
  DELIVERY: 0x700,
  ACTIVE_LOW: 1 << 13,
  REMOTE_IRR: 1 << 14,
  LEVEL: 1 << 15,
  MASK: 1 << 16,
  TIMER_MODE: 3 << 17,
} as const
export const TimerMode = { ONE_SHOT: 0 << 17, PERIODIC: 1 << 17, TSC_DEADLINE: 2 << 17 } as const
/** Delivery modes, in bits 10 to 8 of LVT, ICR and I/O APIC alike. */
export const Delivery = { FIXED: 0, LOWEST_PRIORITY: 1, SMI: 2, NMI: 4, INIT: 5, START_UP: 6, EXT_INT: 7 } as const
export const DELIVERY_SHIFT = 8
/** Interrupt command register, low half (11.6.1, figure 11-12). */
export const Icr = { VECTOR: 0xff, LOGICAL: 1 << 11, ASSERT: 1 << 14, LEVEL: 1 << 15, SHORTHAND: 3 << 18, WRITABLE: 0x000ccfff } as const
export const Shorthand = { NONE: 0 << 18, SELF: 1 << 18, ALL: 2 << 18, ALL_BUT_SELF: 3 << 18 } as const
/** Error status register (11.5.3, figure 11-9). */
export const Esr = { SEND_ILLEGAL_VECTOR: 1 << 5, RECEIVE_ILLEGAL_VECTOR: 1 << 6, ILLEGAL_REGISTER: 1 << 7 } as const
/** IA32_APIC_BASE (11.4.4, figure 11-5). */
export const ApicBase = { BSP: 1 << 8, ENABLE: 1 << 11, ADDRESS: 0xfffff000 } as const
/** Vectors 0 to 15 are reserved (11.5.2). */
export const VECTOR_MIN = 16
