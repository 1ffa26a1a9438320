/*
 * Runs cases (testing/cases32.ts has their layout) at CPL 3 in 32-bit protected mode, in segments that have bases. They are the first
 * module; each one's outcome takes its place, and at the end all go to port 0xe9, where QEMU has its debugging console.
 */
#define BITS 32
#define VECTORS 32
#define USER_CODE 0x1b
#define USER_DATA 0x23
#define TASK 0x28
#define CODE_AT 0x3000000
#define WINDOW_AT 0x3011000
#define START_AT 0x2fff000
#define RECORD_BYTES 320
#define WINDOW_BYTES 256
#define CODE_BYTES 24
#include "start.S"

entry32:
    mov esp, offset stack_top
    mov eax, [ebx + 24]
    mov ecx, [eax]
    mov [start], ecx
    mov [START_AT], ecx
    mov eax, [eax + 4]
    mov [end], eax
    mov [current], ecx
    LOAD_SEGMENTS
    LOAD_IDT 0xee00
    mov dword ptr [tss + 4], offset stack_top
    mov dword ptr [tss + 8], KERNEL_DATA
    LOAD_TASK

next:
    mov ebp, [current]
    cmp ebp, [end]
    jae done
    mov eax, KERNEL_DATA
    mov es, eax
    cld
    lea esi, [ebp + 64]
    mov edi, WINDOW_AT
    mov ecx, WINDOW_BYTES / 4
    rep movsd
    mov edi, CODE_AT
    mov ecx, 32
    mov eax, 0xcccccccc
    rep stosd
    lea esi, [ebp + 40]
    mov edi, CODE_AT
    mov ecx, CODE_BYTES
    rep movsb
    push USER_DATA
    push [ebp + 16]
    push [ebp + 32]
    push USER_CODE
    push 0
    mov eax, USER_DATA
    mov es, eax
    mov fs, eax
    mov gs, eax
    mov eax, [ebp]
    mov ecx, [ebp + 4]
    mov edx, [ebp + 8]
    mov ebx, [ebp + 12]
    mov esi, [ebp + 24]
    mov edi, [ebp + 28]
    push USER_DATA
    push [ebp + 20]
    pop ebp
    .byte 0x1f                           /* POP DS of 32 bits */
    iretd

    STUBS

trap:
    pushad
    mov eax, KERNEL_DATA
    mov ds, eax
    mov es, eax
    cld
    mov ebp, [current]
    mov eax, [esp + 28]
    mov [ebp], eax
    mov eax, [esp + 24]
    mov [ebp + 4], eax
    mov eax, [esp + 20]
    mov [ebp + 8], eax
    mov eax, [esp + 16]
    mov [ebp + 12], eax
    mov eax, [esp + 52]
    mov [ebp + 16], eax
    mov eax, [esp + 8]
    mov [ebp + 20], eax
    mov eax, [esp + 4]
    mov [ebp + 24], eax
    mov eax, [esp]
    mov [ebp + 28], eax
    mov eax, [esp + 48]
    mov [ebp + 32], eax
    mov eax, [esp + 32]
    mov [ebp + 36], eax
    mov eax, [esp + 40]
    mov [ebp + 40], eax
    mov eax, [esp + 36]
    mov [ebp + 44], eax
    mov esi, WINDOW_AT
    lea edi, [ebp + 64]
    mov ecx, WINDOW_BYTES / 4
    rep movsd
    mov esp, offset stack_top
    add dword ptr [current], RECORD_BYTES
    jmp next

done:
    mov esi, [start]
    mov ecx, [end]
    sub ecx, esi
    mov edx, 0xe9
    rep outsb
    EXIT

    .section .data
    .balign 16
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff
    .quad 0x00cf93000000ffff
    .quad 0x03cffb000000ffff             /* USER_CODE, base CODE_AT */
    .quad 0x03cff3010000ffff             /* USER_DATA, base 0x3010000 */
    .quad 0x0000890000000067
gdt_end:

    .bss
    .balign 4096
start: .skip 4
end: .skip 4
current: .skip 4
    .balign 4096
    .skip 4096
stack_top:
    .skip 4096
