/*
 * Debug registers as the manual has them (SDM vol. 3, chapter 18) and QEMU 7.2 has not. The expected output was worked out by hand.
 */
#define RFLAGS_SHOWN 0xfffff72a
#include "debug-macros.S"

main:
    /* The low bits of the address are masked by the length (18.2.5). QEMU: they count. */
    BEGIN "eight bytes, whatever the low bits of the address"
    WATCH 2, data + 13, GLOBAL(2) + DR7_ACCESS(2) + DR7_BYTES8(2)
    mov al, [rdi + 7]
    mov al, [rdi + 16]
    mov al, [rdi + 15]
    nop
    DONE
    /* RF stays until the last repetition (18.3.1.1). QEMU: until the first. */
    BEGIN "REP STOSB with a breakpoint and RF runs to its end"
    WATCH 0, 1f, GLOBAL(0)
    PUSH_FRAME 1f, 0x10002
    mov ecx, 7
    iretq
1:  rep stosb
    DONE
    SHOW "left", rcx
    SAY "\n"
    /* DR6 names every breakpoint that was met (18.2.3), and keeps what it had. QEMU: the first of them, alone. */
    BEGIN "two at once"
    lea rax, [rip + data]
    mov dr2, rax
    WATCH_RAX 1, GLOBAL(1) + DR7_WRITE(1) + DR7_BYTES4(1) + GLOBAL(2) + DR7_ACCESS(2)
    mov [rdi], eax
    nop
    DONE
    BEGIN "DR6 is sticky"
    mov eax, 0x8008
    mov dr6, rax
    WATCH 1, data, GLOBAL(1) + DR7_WRITE(1) + DR7_BYTES4(1)
    mov [rdi], eax
    nop
    DONE
    /* One #DB for both. QEMU: the handler's first instruction is traced too. */
    BEGIN "a step and a breakpoint"
    WATCH 1, data, GLOBAL(1) + DR7_WRITE(1) + DR7_BYTES4(1)
    STEP
    mov [rdi], eax
    nop
    DONE
    /* Traps wait for the instruction after one that loads SS (vol. 3, 6.8.3). QEMU: they do not. */
    BEGIN "a step over MOV SS"
    mov ecx, ss
    STEP
    mov ss, ecx
    nop
    nop
    DONE
    BEGIN "a breakpoint on what MOV SS reads"
    lea rax, [rip + data]
    mov word ptr [rax], KERNEL_DATA
    WATCH_RAX 1, GLOBAL(1) + DR7_ACCESS(1) + DR7_BYTES2(1)
    mov ss, [rdi]
    nop
    nop
    DONE
    /* DR7.GD: #DB before the access, a fault whose image has RF; GD is off for the handler (18.2.4). QEMU: no RF. */
    BEGIN "DR7.GD"
    mov eax, 0x2400
    mov dr7, rax
    nop
    mov rbx, dr0
    DONE
    BEGIN "GD is off in the handler"
    mov eax, 0x2400
    mov dr7, rax
    lea rax, [rip + 1f]
    mov [rip + idt + 16], ax
    mov dr1, rax
1:  SHOW "dr7", dr7
    lea rax, [rip + stubs + 16]
    mov [rip + idt + 16], ax
    DONE
    /* Between repetitions the image has RF (18.3.1.1). */
    BEGIN "a step into REP STOSB"
    lea rdi, [rip + data]
    mov ecx, 3
    STEP
    rep stosb
    nop
    DONE
    /* A breakpoint that is not aligned to its length, and REP with more than it watches: the trap follows the repetition. */
    BEGIN "REP STOSB stops behind the watched byte"
    WATCH 0, data + 3, GLOBAL(0) + DR7_WRITE(0)
    mov ecx, 10
    rep stosb
    nop
    DONE
    ret

    .section .data
    .balign 4096
data: .skip 4096
