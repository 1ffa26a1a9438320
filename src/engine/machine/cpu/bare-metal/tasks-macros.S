/* What tasks.S and manual-tasks.S share. */
#define TASK2 0x60
#define TASK_GATE 0x68
#define TASK16 0x70
#define CODE_AT_TASK16 0x78
#define SHORT_TASK 0x80
#define ABSENT_TASK 0x88
#define USER_TASK 0x90
#define ABSENT_GATE 0x98
#define SPARE_TASK 0xa0
#define MORE_DESCRIPTORS \
    .quad 0x0000890000000067; \
    .quad 0x0000e50000600000; \
    .quad 0x000081000000002b; \
    .quad 0x00409b000000ffff; \
    .quad 0x0000890000000066; \
    .quad 0x0000090000000067; \
    .quad 0x0000e90000000067; \
    .quad 0x0000650000600000; \
    .quad 0x0000890000000067;
#include "common32.S"

    .macro BUSY
    movzx eax, byte ptr [gdt + TASK + 5]
    SHOW "first", eax
    movzx eax, byte ptr [gdt + TASK2 + 5]
    SHOW "second", eax
    .endm
/* A task that begins at a label. */
    .macro PREPARE label
    mov edi, offset tss2
    mov ecx, 26
    xor eax, eax
    rep stosd
    mov dword ptr [tss2 + 0x20], offset \label
    mov dword ptr [tss2 + 0x24], 2
    mov dword ptr [tss2 + 0x38], offset stack2_top
    mov dword ptr [tss2 + 0x48], KERNEL_DATA
    mov dword ptr [tss2 + 0x4c], KERNEL_CODE
    mov dword ptr [tss2 + 0x50], KERNEL_DATA
    mov dword ptr [tss2 + 0x54], KERNEL_DATA
    mov dword ptr [tss2 + 0x58], KERNEL_DATA
    mov dword ptr [tss2 + 0x28], 0xaaaa
    mov dword ptr [tss2 + 0x40], 0xbbbb
    mov dword ptr [tss2 + 0x44], 0xcccc
    mov eax, cr3
    mov [tss2 + 0x1c], eax
    mov byte ptr [gdt + TASK2 + 5], 0x89
    clts
    .endm
/* Makes the first task the current one, whatever happened. */
    .macro AGAIN
    mov byte ptr [gdt + TASK + 5], 0x89
    mov eax, TASK
    ltr ax
    pushfd
    and dword ptr [esp], 0xffffbfff
    popfd
    .endm
    .macro GATE vector, selector
    mov word ptr [idt + \vector * 8], 0
    mov word ptr [idt + \vector * 8 + 2], \selector
    mov word ptr [idt + \vector * 8 + 4], 0x8500
    mov word ptr [idt + \vector * 8 + 6], 0
    .endm
