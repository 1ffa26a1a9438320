/*
 * Faults in the new task of a switch, and its T flag: SDM vol. 3, 7.3 and 18.3.1.5. They are delivered in the new task, before its first
 * instruction; QEMU 7.2 shows the old one's EIP and has no T flag. The expected output was worked out by hand.
 */
#include "tasks-macros.S"

main:
    BASE TASK2, tss2
    PREPARE called
    mov dword ptr [tss2 + 0x54], 0x7f8
    BEGIN "a bad DS in the new task"
    ljmp TASK2, 0
    END
    AGAIN
    mov eax, KERNEL_DATA
    mov gs, eax
    mov fs, eax
    mov es, eax
    PREPARE called
    mov dword ptr [tss2 + 0x5c], ABSENT_CODE
    BEGIN "an absent GS in the new task"
    lcall TASK2, 0
    END
    AGAIN
    mov eax, KERNEL_DATA
    mov gs, eax
    mov fs, eax
    mov es, eax
    PREPARE called
    mov dword ptr [tss2 + 0x60], KERNEL_DATA
    BEGIN "an LDT that is none"
    GATE 10, TASK_GATE
    mov word ptr [idt + 10 * 8 + 2], SPARE_TASK
    mov eax, offset tss3
    mov [gdt + SPARE_TASK + 2], ax
    shr eax, 16
    mov [gdt + SPARE_TASK + 4], al
    mov byte ptr [gdt + SPARE_TASK + 5], 0x89
    mov dword ptr [tss3 + 0x20], offset rescued
    mov dword ptr [tss3 + 0x24], 2
    mov dword ptr [tss3 + 0x38], offset stack2_top
    mov dword ptr [tss3 + 0x48], KERNEL_DATA
    mov dword ptr [tss3 + 0x4c], KERNEL_CODE
    mov dword ptr [tss3 + 0x50], KERNEL_DATA
    mov dword ptr [tss3 + 0x54], KERNEL_DATA
    ljmp TASK2, 0
    END
    PREPARE called
    mov dword ptr [tss2 + 0x50], 0
    BEGIN "a null SS"
    mov byte ptr [gdt + SPARE_TASK + 5], 0x89
    mov dword ptr [tss3 + 0x20], offset rescued
    mov dword ptr [tss3 + 0x38], offset stack2_top
    ljmp TASK2, 0
    END
    AGAIN
    PREPARE called
    BEGIN "the T flag"
    mov byte ptr [tss2 + 0x64], 1
    mov dword ptr [probe_start], offset called
    lcall TASK2, 0
    END
    SHOW "dr6", dr6
    SAY "\n"
    AGAIN
    PREPARE called
    BEGIN "local breakpoints end with the task, global ones do not"
    mov eax, 0x403
    mov dr7, eax
    mov dword ptr [tss2 + 0x20], offset shows_dr7
    lcall TASK2, 0
    END
    ret

rescued:
    pop eax
    SHOW "error", eax
    mov eax, offset called
    sub eax, [tss2 + 0x20]
    SHOW "eip", eax
    movzx eax, word ptr [tss3]
    SHOW "link", eax
    AGAIN
    mov esp, [probe_sp]
    jmp [probe_end]
shows_dr7:
    mov eax, dr7
    SHOW "dr7", eax
    xor eax, eax
    mov dr7, eax
    iretd
called:
    nop
    iretd

    .bss
    .balign 4096
directory2: .skip 4096
table2: .skip 4096
tss2: .skip 128
tss16: .skip 64
tss3: .skip 128
    .balign 4096
    .skip 4096
stack2_top:
    .skip 16
    .balign 4096
