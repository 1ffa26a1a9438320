/* Entry and interrupt stubs of board.c. */
        .section .multiboot, "a"
        .balign 4
        .long   0x1badb002, 3, -(0x1badb002 + 3)

        .text
        .globl  _start
_start: mov     $stack_top, %esp
        push    %ebx
        push    %eax
        lgdt    gdt_pointer
        ljmp    $8, $1f
1:      mov     $16, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        call    kernel
2:      cli
        hlt
        jmp     2b

        /* Sixteen stubs, 16 bytes apart: IRQ 0 to 15. */
        .balign 16
        .globl  stubs
stubs:
        .set    irq, 0
        .rept   16
        push    $irq
        jmp     common
        .balign 16
        .set    irq, irq + 1
        .endr

common: pusha
        push    32(%esp)
        call    interrupt
        add     $4, %esp
        popa
        add     $4, %esp
        iret

        .section .rodata
        .balign 8
gdt:    .quad   0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
        .word   23
        .long   gdt

        .bss
        .balign 16
        .skip   16384
stack_top:
