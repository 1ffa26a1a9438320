/** What a module may ask for. Every bound is enforced before or while the module runs; a message names the one that was met. */
export const WasmLimit = {
  /** Bytes of a module. */
  MODULE_BYTES: 8 << 20,
  /** Functions that a module defines. */
  FUNCTIONS: 20_000,
  /** Parameters or results of a function. */
  VALUES: 64,
  /** Local variables of a function, parameters included. */
  LOCALS: 4096,
  /** Modules loaded at once: of one process and of the machine. */
  MODULES_PER_PROCESS: 16,
  MODULES: 64,
  /** Pages of 64 KiB of a module's memory: 64 MiB. They are promised frames of the machine's own memory besides. */
  MEMORY_PAGES: 1024,
  /** Entries of all tables of a module together. */
  TABLE_ENTRIES: 65_536,
  /** Bytes of frames that calls inside a module may have on the stack at once; counted as instrument/frame.ts says. */
  STACK_BYTES: 512 << 10,
  /** Bytes of the code of a module after it was instrumented. */
  INSTRUMENTED_BYTES: 64 << 20,
} as const

export const WASM_PAGE_BYTES = 65_536
