/*
 * A Multiboot kernel that counts, between timer interrupts, how often a loop of two instructions runs, and prints the counts on
 * COM1, one a line, in hexadecimal: what they must be follows from the timer's rate and from how long an instruction takes.
 * It ends through the debug exit port with 0. DIVISOR comes from the command line: pulses of the timer from tick to tick.
 */
        .set    COM1, 0x3f8
        .set    TICKS, 8

        .section .multiboot, "a"
        .balign 4
        .long   0x1badb002, 3, -(0x1badb002 + 3)

        .macro  OUTB port, value
        mov     $\value, %al
        outb    %al, $\port
        .endm

        .text
        .globl  _start
_start: mov     $stack_top, %esp
        lgdt    gdt_pointer
        ljmp    $8, $1f
1:      mov     $16, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        mov     $tick, %eax                     /* vector 0x20: a 32-bit interrupt gate */
        mov     %ax, idt + 8 * 0x20
        movw    $8, idt + 8 * 0x20 + 2
        movw    $0x8e00, idt + 8 * 0x20 + 4
        shr     $16, %eax
        mov     %ax, idt + 8 * 0x20 + 6
        lidt    idt_pointer
        OUTB    0x20, 0x11
        OUTB    0x21, 0x20
        OUTB    0x21, 0x04
        OUTB    0x21, 0x01
        OUTB    0xa1, 0xff
        OUTB    0x21, 0xfe
        OUTB    0x43, 0x34
        OUTB    0x40, DIVISOR & 0xff
        OUTB    0x40, DIVISOR >> 8
        xor     %ecx, %ecx                      /* turns of the loop */
        xor     %esi, %esi                      /* interrupts */
        sti
2:      inc     %ecx
        jmp     2b

        /* Ten instructions, until the last. */
tick:   mov     %ecx, counts(,%esi,4)
        inc     %esi
        OUTB    0x20, 0x20
        cmp     $TICKS, %esi
        je      3f
        nop
        nop
        nop
        iret

3:      xor     %edi, %edi
4:      mov     counts(,%edi,4), %ebx
        mov     $8, %ecx
5:      rol     $4, %ebx
        mov     %ebx, %eax
        and     $15, %eax
        mov     digits(%eax), %al
        call    put
        loop    5b
        mov     $10, %al
        call    put
        inc     %edi
        cmp     $TICKS, %edi
        jne     4b
        xor     %eax, %eax
        out     %eax, $0xf4
6:      hlt
        jmp     6b

put:    mov     %al, %ah
        mov     $COM1 + 5, %dx
7:      in      %dx, %al
        test    $0x20, %al
        jz      7b
        mov     %ah, %al
        mov     $COM1, %dx
        out     %al, %dx
        ret

        .section .rodata
        .balign 8
gdt:    .quad   0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
        .word   23
        .long   gdt
idt_pointer:
        .word   0x7ff
        .long   idt
digits: .ascii  "0123456789abcdef"

        .bss
        .balign 16
idt:    .skip   2048
counts: .skip   4 * TICKS
        .skip   4096
stack_top:
