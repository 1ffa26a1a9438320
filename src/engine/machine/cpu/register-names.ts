/**
 * The general registers in encoding order (SDM vol. 2, table 3-1). The command line names them too, and must share nothing at run time with
 * the processor: a constant of another chunk is a load to V8, so nothing is imported here.
 */
export const GPR_NAMES = [
  'rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15',
] as const
