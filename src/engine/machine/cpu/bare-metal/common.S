/*
 * What every bare-metal test starts from: Multiboot entry, long mode, a GDT with one of everything, an IDT whose handlers
 * print what the processor pushed, and macros to write one probe in a few lines.
 *
 * Memory: 0-2 MiB mapped to itself, readable, writable and executable for CPL 0 and CPL 3 (the image is at 1 MiB);
 * 1 GiB + n * 4 KiB: test pages 0-511, entry n of `test_table`, all absent at first.
 */
    .intel_syntax noprefix

#define COM1 0x3f8
#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10
#define USER_CODE32 0x18
#define USER_DATA 0x20
#define USER_CODE 0x28
#define KERNEL_CODE32 0x30
#define ABSENT_DATA 0x38
#define CONFORMING_CODE 0x40
#define TASK 0x48
#define CALL_GATE 0x58
#define ABSENT_CODE 0x68
#define READ_ONLY_DATA 0x70
#define LDT 0x78
#define FREE_TASK 0x88
#define BEYOND 0x98

/* Without the arithmetic flags, and without RF: QEMU 7.2 does not set it in the image that a fault pushes. manual.S shows it. */
#ifndef RFLAGS_SHOWN
#define RFLAGS_SHOWN 0xfffef72a
#endif

/* Error codes other than a page fault's without EXT: QEMU 7.2 does not set it. manual.S shows it. */
#ifndef ERROR_SHOWN
#define ERROR_SHOWN -2
#endif

#define FRAME 0x180000                   /* a page of RAM nobody uses, and the rest of the 2 MiB after it */
#define TEST_PAGES 0x40000000
#define PRESENT 1
#define WRITABLE 2
#define USER 4
#define LARGE 0x80

    .section .multiboot, "ax"
    .balign 4
header:
    .long 0x1badb002, 0x00010000, -(0x1badb002 + 0x00010000)
    .long header, image_start, image_end, bss_end, entry32

    .text
    .code32
    .globl entry32
entry32:
    mov esp, offset kernel_stack_top
    mov eax, offset pdpt + 7
    mov [pml4], eax
    mov eax, offset low_directory + 7
    mov [pdpt], eax
    mov eax, offset test_directory + 7
    mov [pdpt + 8], eax
    mov dword ptr [low_directory], 0x87
    mov eax, offset test_table + 7
    mov [test_directory], eax
    mov eax, 0x220                       /* PAE, OSFXSR */
    mov cr4, eax
    mov eax, offset pml4
    mov cr3, eax
    mov ecx, 0xc0000080
    rdmsr
    or eax, 0x901                        /* NXE, LME, SCE */
    wrmsr
    mov eax, 0x80010011                  /* PG, WP, ET, PE */
    mov cr0, eax
    lgdt [gdt_pointer]
    ljmp KERNEL_CODE, offset entry64

    .code64
entry64:
    mov eax, KERNEL_DATA
    mov ds, eax
    mov es, eax
    mov ss, eax
    xor eax, eax
    mov fs, eax
    mov gs, eax
    /* The IDT: 256 gates, 16 bytes of stub each. */
    lea rbx, [rip + stubs]
    lea rdi, [rip + idt]
    xor ecx, ecx
1:  mov [rdi], bx
    mov word ptr [rdi + 2], KERNEL_CODE
    mov word ptr [rdi + 4], 0x8e00
    mov rax, rbx
    shr rax, 16
    mov [rdi + 6], ax
    mov dword ptr [rdi + 8], 0
    add rbx, 16
    add rdi, 16
    inc ecx
    cmp ecx, 256
    jne 1b
    or byte ptr [rip + idt + 0x80 * 16 + 5], 0x60
    lidt [rip + idt_pointer]
    /* Base of the task state segment and its stacks. */
    lea rax, [rip + tss]
    mov [rip + gdt + TASK + 2], ax
    mov [rip + gdt + FREE_TASK + 2], ax
    shr rax, 16
    mov [rip + gdt + TASK + 4], al
    mov [rip + gdt + FREE_TASK + 4], al
    lea rax, [rip + gate_entry]
    mov [rip + gdt + CALL_GATE], ax
    shr rax, 16
    mov [rip + gdt + CALL_GATE + 6], ax
    lea rax, [rip + rsp0_top]
    mov [rip + tss + 4], rax
    lea rax, [rip + ist1_top]
    mov [rip + tss + 36], rax
    mov word ptr [rip + tss + 0x66], 0x68 /* no I/O permission map */
    mov eax, TASK
    ltr ax
    call main
exit:
    mov eax, 0
    mov edx, 0xf4
    out dx, eax
2:  hlt
    jmp 2b

/* rsi: a text that ends in 0. All registers preserved. */
print:
    push rax
    push rdx
    push rsi
1:  lodsb
    test al, al
    jz 2f
    call print_character
    jmp 1b
2:  pop rsi
    pop rdx
    pop rax
    ret

/* al: a character. */
print_character:
    push rdx
    push rax
    mov edx, COM1 + 5
3:  in al, dx
    test al, 0x20
    jz 3b
    pop rax
    mov edx, COM1
    out dx, al
    pop rdx
    ret

/* rax: a number, printed in hexadecimal without leading zeros. All registers preserved. */
print_hex:
    push rax
    push rcx
    push rdx
    mov rdx, rax
    mov ecx, 64
1:  sub ecx, 4
    jz 2f
    mov rax, rdx
    shr rax, cl
    test rax, rax
    jz 1b
2:  mov rax, rdx
    shr rax, cl
    and eax, 15
    add al, '0'
    cmp al, '9'
    jbe 3f
    add al, 'a' - '9' - 1
3:  call print_character
    sub ecx, 4
    jns 2b
    pop rdx
    pop rcx
    pop rax
    ret

/* " text=" and a number in rax. */
    .macro SHOW text, value:vararg
    .ifnb \value
    mov rax, \value
    .endif
    lea rsi, [rip + show_\@]
    call print
    call print_hex
    .section .rodata
show_\@:
    .asciz " \text="
    .text
    .endm

    .macro SAY text
    push rsi
    lea rsi, [rip + say_\@]
    call print
    pop rsi
    .section .rodata
say_\@:
    .asciz "\text"
    .text
    .endm

/*
 * BEGIN "name" ... END: what happens between them is printed. An exception ends the probe: its handler prints the frame
 * and goes on after END with the stack as it was at BEGIN.
 */
    .macro BEGIN name
    SAY "\name:"
    lea rax, [rip + 7770f]
    mov [rip + probe_start], rax
    lea rax, [rip + 7771f]
    mov [rip + probe_end], rax
    mov [rip + probe_rsp], rsp
7770:
    .endm

    .macro END
    SAY " no exception"
7771:
    SAY "\n"
    .endm

/* Runs what follows at CPL 3, with interrupts as in `flags`, until the next exception or interrupt. */
    .macro ENTER_USER flags=2
    lea rax, [rip + user_stack_top]
    push USER_DATA + 3
    push rax
    push \flags
    push USER_CODE + 3
    lea rax, [rip + user_\@]
    push rax
    mov [rip + probe_start], rax
    iretq
user_\@:
    .endm

/* Sets entry `index` of the test pages. */
    .macro SET_PAGE index, value:vararg
    mov rax, \value
    mov [rip + test_table + \index * 8], rax
    invlpg [TEST_PAGES + \index * 4096]
    .endm

/* A probe of one instruction at CPL 3; if nothing happens, INT 0x80 shows that. */
    .macro REFUSED name, instruction:vararg
    BEGIN "\name"
    ENTER_USER
    \instruction
    int 0x80
    END
    .endm

/* Makes the gate of a vector absent, and present again. */
    .macro ABSENT vector
    and byte ptr [rip + idt + \vector * 16 + 5], 0x7f
    .endm
    .macro PRESENT_AGAIN vector
    or byte ptr [rip + idt + \vector * 16 + 5], 0x80
    .endm
/* Gives a vector a stack that is not mapped, so that its delivery is a page fault. */
    .macro NO_STACK vector
    mov byte ptr [rip + idt + \vector * 16 + 4], 2
    .endm
    .macro STACK_AGAIN vector
    mov byte ptr [rip + idt + \vector * 16 + 4], 0
    .endm

    .balign 16
stubs:
    .set vector, 0
    .rept 256
    .balign 16
    .if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17
    .else
    push 0
    .endif
    push vector
    jmp trap
    .set vector, vector + 1
    .endr

#define FRAME_VECTOR 0
#define FRAME_ERROR 8
#define FRAME_RIP 16
#define FRAME_CS 24
#define FRAME_RFLAGS 32
#define FRAME_RSP 40
#define FRAME_SS 48

/* Prints the frame; rip relative to the probe, the handler's own rsp relative to the stack that it must be on. */
trap:
    mov rbx, rsp
    cld
    SHOW "vector", [rbx + FRAME_VECTOR]
    mov rax, [rbx + FRAME_ERROR]
    cmp qword ptr [rbx + FRAME_VECTOR], 14
    je 5f
    and rax, ERROR_SHOWN
5:  SHOW "error"
    mov rax, [rbx + FRAME_RIP]
    sub rax, [rip + probe_start]
    SHOW "rip"
    SHOW "cs", [rbx + FRAME_CS]
    mov rax, [rbx + FRAME_RFLAGS]
    and eax, RFLAGS_SHOWN
    SHOW "rflags"
    SHOW "ss", [rbx + FRAME_SS]
    cmp qword ptr [rbx + FRAME_VECTOR], 14
    jne 1f
    SHOW "cr2", cr2
1:  pushfq
    pop rax
    and eax, 0x4700
    SHOW "handler-rflags"
    lea rax, [rbx + 56]
    lea rcx, [rip + rsp0_top]
    cmp rax, rcx
    jne 2f
    mov eax, ss                          /* on other stacks QEMU 7.2 makes it null without a change of level */
    SHOW "handler-ss"
    SAY " on=rsp0"
    jmp 4f
2:  lea rcx, [rip + ist1_top]
    cmp rax, rcx
    jne 3f
    SAY " on=ist1"
    jmp 4f
3:  mov rcx, [rip + probe_rsp]
    and rcx, -16
    sub rax, rcx
    SHOW "on"
4:  mov rsp, [rip + probe_rsp]
    mov eax, KERNEL_DATA
    mov ss, eax
    mov ds, eax
    mov es, eax
    jmp [rip + probe_end]

/* Where the call gate leads. */
gate_entry:
    SAY " gate"
    SHOW "cs", cs
    SHOW "ss", ss
    SHOW "return-cs", [rsp + 8]
    SHOW "return-ss", [rsp + 24]
    lea rax, [rsp + 32]
    lea rcx, [rip + rsp0_top]
    sub rax, rcx
    SHOW "on"
    retfq

    .section .data
    .balign 16
gdt:
    .quad 0
    .quad 0x00209b000000ffff             /* KERNEL_CODE */
    .quad 0x00cf93000000ffff             /* KERNEL_DATA */
    .quad 0x00cffb000000ffff             /* USER_CODE32 */
    .quad 0x00cff3000000ffff             /* USER_DATA */
    .quad 0x0020fb000000ffff             /* USER_CODE */
    .quad 0x00cf9b000000ffff             /* KERNEL_CODE32 */
    .quad 0x00cf13000000ffff             /* ABSENT_DATA */
    .quad 0x00209f000000ffff             /* CONFORMING_CODE */
    .quad 0x0000890000000067, 0          /* TASK, base filled in */
    .quad 0x0000ec0000080000, 0          /* CALL_GATE to KERNEL_CODE, DPL 3 */
    .quad 0x00201b000000ffff             /* ABSENT_CODE */
    .quad 0x00cf91000000ffff             /* READ_ONLY_DATA */
    .quad 0x000082000000000f, 0          /* LDT of two descriptors at address 0 */
    .quad 0x0000890000000067, 0          /* FREE_TASK */
gdt_end:
gdt_pointer:
    .short gdt_end - gdt - 1
    .quad gdt
idt_pointer:
    .short 0xfff
    .quad idt

    .bss
    .balign 4096
pml4: .skip 4096
pdpt: .skip 4096
low_directory: .skip 4096
test_directory: .skip 4096
test_table: .skip 4096
idt: .skip 4096
tss: .skip 128
probe_start: .skip 8
probe_end: .skip 8
probe_rsp: .skip 8
    .balign 4096
    .skip 4096
kernel_stack_top:
    .skip 4096
rsp0_top:
    .skip 4096
ist1_top:
    .skip 4096
user_stack_top:
    .skip 4096
    .text
