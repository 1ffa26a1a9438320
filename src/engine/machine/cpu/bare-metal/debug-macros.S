/* What debug.S and manual-debug.S share. */
#include "common.S"

#define DR7_WRITE(n) (1 << (16 + 4 * n))
#define DR7_PORT(n) (2 << (16 + 4 * n))
#define DR7_ACCESS(n) (3 << (16 + 4 * n))
#define DR7_BYTES2(n) (1 << (18 + 4 * n))
#define DR7_BYTES8(n) (2 << (18 + 4 * n))
#define DR7_BYTES4(n) (3 << (18 + 4 * n))
#define LOCAL(n) (1 << (2 * n))
#define GLOBAL(n) (2 << (2 * n))

/* What a probe left in DR6; everything is off for the next one. */
    .macro DONE
    END
    mov rsp, [rip + probe_sp]
    xor eax, eax
    mov dr7, rax
    SAY "  "
    mov rax, dr6
    SHOW "dr6"
    mov eax, 0xffff0ff0
    mov dr6, rax
    SAY "\n"
    .endm
/* Watches an address and leaves that of `data` in rdi. */
    .macro WATCH number, address, control:vararg
    lea rax, [rip + \address]
    WATCH_RAX \number, \control
    .endm
    .macro WATCH_RAX number, control:vararg
    mov dr\number, rax
    mov eax, \control
    mov dr7, rax
    lea rdi, [rip + data]
    .endm
/* Sets TF. */
    .macro STEP
    pushfq
    or dword ptr [rsp], 0x100
    popfq
    .endm
