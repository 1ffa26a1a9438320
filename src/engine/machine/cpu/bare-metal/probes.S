/*
 * Printing, and macros to write one probe in a few lines, in either width. Some of what the kernels print are addresses and distances in
 * the image, so an instruction of another length here, or a page more, changes what is expected.
 */
#define COM1 0x3f8
#define FRAME 0x180000                   /* a page of RAM nobody uses, and the rest of the 2 MiB after it */
#define TEST_PAGES 0x40000000

/* What the stubs and the processor leave on the stack. */
#define FRAME_VECTOR 0
#define FRAME_ERROR WORD_BYTES
#define FRAME_IP (2 * WORD_BYTES)
#define FRAME_CS (3 * WORD_BYTES)
#define FRAME_FLAGS (4 * WORD_BYTES)
#define FRAME_SP (5 * WORD_BYTES)
#define FRAME_SS (6 * WORD_BYTES)

/* rsi: a text that ends in 0. All registers preserved. */
print:
    push R(ax)
    push R(dx)
    push R(si)
1:  lodsb
    test al, al
    jz 2f
    call print_character
    jmp 1b
2:  pop R(si)
    pop R(dx)
    pop R(ax)
    ret

/* al: a character. All registers preserved. */
print_character:
    push R(dx)
    push R(ax)
    mov edx, COM1 + 5
1:  in al, dx
    test al, 0x20
    jz 1b
    pop R(ax)
    mov edx, COM1
    out dx, al
    pop R(dx)
    ret

/* rax: a number, printed in hexadecimal without leading zeros. All registers preserved. */
print_hex:
    push R(ax)
    push R(cx)
    push R(dx)
    mov R(dx), R(ax)
    mov ecx, BITS
1:  sub ecx, 4
    jz 2f
    mov R(ax), R(dx)
    shr R(ax), cl
    jz 1b
2:  mov R(ax), R(dx)
    shr R(ax), cl
    and eax, 15
    add al, '0'
    cmp al, '9'
    jbe 3f
    add al, 'a' - '9' - 1
3:  call print_character
    sub ecx, 4
    jns 2b
    pop R(dx)
    pop R(cx)
    pop R(ax)
    ret

    .macro SAY text
    push R(si)
    mov R(si), offset say_\@
    call print
    pop R(si)
    .section .rodata
say_\@:
    .asciz "\text"
    .text
    .endm

/* " text=" and a number, by itself what is in rax. */
    .macro SHOW text, value:vararg
    .ifnb \value
    mov R(ax), \value
    .endif
#if BITS == 32
    push esi
#endif
    mov R(si), offset show_\@
    call print
#if BITS == 32
    pop esi
#endif
    call print_hex
    .section .rodata
show_\@:
    .asciz " \text="
    .text
    .endm

/*
 * BEGIN "name" ... END: what happens between them is printed. An exception ends the probe: its handler prints the frame
 * and goes on after END with the stack as it was at BEGIN.
 */
    .macro BEGIN name
    SAY "\name:"
    lea R(ax), AT(7770f)
    mov AT(probe_start), R(ax)
    lea R(ax), AT(7771f)
    mov AT(probe_end), R(ax)
    mov AT(probe_sp), R(sp)
7770:
    .endm

    .macro END
    SAY " no exception"
7771:
    SAY "\n"
    .endm

/* A probe of one instruction at CPL 3, where ENTER_USER leads; if nothing happens, INT 0x80 shows that. */
    .macro REFUSED name, instruction:vararg
    BEGIN "\name"
    ENTER_USER
    \instruction
    int 0x80
    END
    .endm

    .bss
probe_start: .skip WORD_BYTES
probe_end: .skip WORD_BYTES
probe_sp: .skip WORD_BYTES
    .balign 4096
    .skip 4096
kernel_stack_top:
    .skip 4096
interrupt_stack_top:                     /* where the processor goes from CPL 3 */
    .skip 4096
user_stack_top:
    .skip 4096

    .text
