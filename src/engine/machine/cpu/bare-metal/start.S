/*
 * What every kernel here starts from, whether its code is of 32 bits or of 64: the Multiboot header, an IDT of VECTORS gates, a TSS, and
 * macros to fill and load the tables. The kernel has BITS, `entry32`, STUBS somewhere, which go to its `trap`, and `gdt` to `gdt_end` with
 * TASK in it.
 */
    .intel_syntax noprefix

/* A register, and what lies at a label. */
#if BITS == 64
#define R(name) r##name
#define AT(label) [rip + label]
#define CODE .code64
#define WORD_BYTES 8
#else
#define R(name) e##name
#define AT(label) [label]
#define CODE .code32
#define WORD_BYTES 4
#endif

#ifndef VECTORS
#define VECTORS 256
#endif
#define GATE_BYTES (2 * WORD_BYTES)
#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10

    .section .multiboot, "ax"
    .balign 4
header:
    .long 0x1badb002, 0x00010000, -(0x1badb002 + 0x00010000)
    .long header, image_start, image_end, bss_end, entry32
    .globl entry32

/* For each vector 16 bytes that push 0 where the processor pushes no error code, and the vector. */
    .macro STUBS
    .balign 16
stubs:
    .set vector, 0
    .rept VECTORS
    .balign 16
    .if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17
    .else
    push 0
    .endif
    push vector
    jmp trap
    .set vector, vector + 1
    .endr
    .endm

/* From the loader's segments to those of the GDT, in the mode of KERNEL_CODE. */
    .macro LOAD_SEGMENTS
    lgdt [gdt_pointer]
    ljmp KERNEL_CODE, offset segments
    CODE
segments:
    mov eax, KERNEL_DATA
    mov ds, eax
    mov es, eax
    mov ss, eax
    .endm

    .macro LOAD_IDT attributes=0x8e00
    mov R(bx), offset stubs
    mov R(di), offset idt
    xor ecx, ecx
1:  mov [R(di)], bx
    mov word ptr [R(di) + 2], KERNEL_CODE
    mov word ptr [R(di) + 4], \attributes
    mov eax, ebx
    shr eax, 16
    mov [R(di) + 6], ax
    add R(bx), 16
    add R(di), GATE_BYTES
    inc ecx
    cmp ecx, VECTORS
    jne 1b
    lidt AT(idt_pointer)
    .endm

    .macro LOAD_TASK
    BASE TASK, tss
    mov word ptr AT(tss + 0x66), 0x68    /* no I/O permission map */
    mov eax, TASK
    ltr ax
    .endm

/* The base of a segment, below 16 MiB, and where a gate leads. */
    .macro BASE selector, label
    mov R(ax), offset \label
    mov AT(gdt + \selector + 2), ax
    shr eax, 16
    mov AT(gdt + \selector + 4), al
    .endm
    .macro TARGET selector, label
    mov R(ax), offset \label
    mov AT(gdt + \selector), ax
    shr eax, 16
    mov AT(gdt + \selector + 6), ax
    .endm

/* Ends the machine, with success. */
    .macro EXIT
    mov eax, 0
    mov edx, 0xf4
    out dx, eax
1:  hlt
    jmp 1b
    .endm

    .section .data
gdt_pointer:
    .short gdt_end - gdt - 1
    .quad gdt
idt_pointer:
    .short VECTORS * GATE_BYTES - 1
    .quad idt

    .bss
idt: .skip VECTORS * GATE_BYTES
tss: .skip 128

    .text
    .code32
