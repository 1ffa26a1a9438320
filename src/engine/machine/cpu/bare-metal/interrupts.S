/*
 * Where an external interrupt arrives: the timer raises IRQ 0 once, and each probe opens the door in another way. What is
 * printed does not depend on how fast the timer is.
 */
#include "common.S"

#define PIC 0x20
#define SLAVE 0xa0
#define PIT 0x40

/* Raises IRQ 0 once, and waits for it with interrupts off. */
    .macro PENDING_TIMER
    mov ax, 50
    call start_timer
    call await_timer
    .endm
    .macro DONE
    mov al, 0x20
    out PIC, al
    .endm

main:
    mov al, 0x11
    out PIC, al
    out SLAVE, al
    mov al, 0x20
    out PIC + 1, al
    mov al, 0x28
    out SLAVE + 1, al
    mov al, 4
    out PIC + 1, al
    mov al, 2
    out SLAVE + 1, al
    mov al, 1
    out PIC + 1, al
    out SLAVE + 1, al
    mov al, 0xff
    out SLAVE + 1, al
    mov al, 0xfe
    out PIC + 1, al

    PENDING_TIMER
    BEGIN "STI lets one more instruction by"
    sti
    nop
    nop
    END
    DONE
    PENDING_TIMER
    BEGIN "STI, then CLI: nothing gets through"
    sti
    cli
    nop
    pushfq
    pop rax
    and eax, 0x200
    SHOW "if"
    END
    BEGIN "POPFQ: at once"
    push 0x202
    popfq
    nop
    END
    DONE
    PENDING_TIMER
    BEGIN "IRETQ to CPL 3: before its first instruction"
    ENTER_USER 0x202
    nop
    int 0x80
    END
    DONE
    PENDING_TIMER
    BEGIN "STI and IRETQ: after it"
    PUSH_FRAME 1f, 0x202
    mov [rip + probe_start], rax
    sti
    iretq
1:  nop
    END
    DONE
    PENDING_TIMER
    mov ecx, 0xc0000080
    rdmsr
    or eax, 1
    wrmsr
    mov ecx, 0xc0000081
    xor eax, eax
    mov edx, ((USER_CODE32 + 3) << 16) | KERNEL_CODE
    wrmsr
    BEGIN "SYSRET: before the first instruction"
    lea rcx, [rip + 1f]
    mov [rip + probe_start], rcx
    mov r11d, 0x202
    lea rsp, [rip + user_stack_top]
    sysretq
1:  nop
    int 0x80
    END
    DONE
    PENDING_TIMER
    BEGIN "STI, NOP, MOV SS: after the NOP"
    mov eax, KERNEL_DATA
    nop
    sti
    nop
    mov ss, eax
    nop
    END
    DONE
    BEGIN "HLT sleeps until it comes"
    mov ax, 2000
    call start_timer
    sti
    hlt
    nop
    END
    DONE
    BEGIN "a loop is left where it stands, registers as they are"
    mov ax, 3000
    call start_timer
    mov rbp, 0x1122334455667788
    sti
1:  jmp 1b
    END
    DONE
    BEGIN "HLT at CPL 0, timer masked, then unmasked while pending"
    mov al, 0xff
    out PIC + 1, al
    mov ax, 50
    call start_timer
    call await_timer
    sti
    nop
    nop
    mov al, 0xfe
    cli
    out PIC + 1, al
    sti
    hlt
    END
    DONE
    PENDING_TIMER
    BEGIN "an exception comes before the interrupt that waits"
    sti
    ud2
    END
    cli
    BEGIN "and then the interrupt"
    sti
    nop
    END
    DONE
    ret

/* ax: clocks of the timer until IRQ 0. Mode 0. */
start_timer:
    push rax
    mov al, 0x30
    out PIT + 3, al
    pop rax
    out PIT, al
    shr ax, 8
    out PIT, al
    ret

await_timer:
    mov al, 0x0a
    out PIC, al
1:  in al, PIC
    test al, 1
    jz 1b
    ret
