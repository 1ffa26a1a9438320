/*
 * What the 64-bit kernels start from: long mode, a GDT with one of everything, handlers that print what the processor pushed.
 *
 * Memory: 0-2 MiB mapped to itself, readable, writable and executable for CPL 0 and CPL 3 (the image is at 1 MiB);
 * 1 GiB + n * 4 KiB: test pages 0-511, entry n of `test_table`, all absent at first.
 */
#define BITS 64
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

#define PRESENT 1
#define WRITABLE 2
#define USER 4
#define LARGE 0x80

    .bss
    .balign 4096
pml4: .skip 4096
pdpt: .skip 4096
low_directory: .skip 4096
test_directory: .skip 4096
test_table: .skip 4096

#include "start.S"

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
    LOAD_SEGMENTS
    xor eax, eax
    mov fs, eax
    mov gs, eax
    LOAD_IDT
    or byte ptr [rip + idt + 0x80 * 16 + 5], 0x60
    BASE FREE_TASK, tss
    TARGET CALL_GATE, gate_entry
    lea rax, [rip + interrupt_stack_top]
    mov [rip + tss + 4], rax
    lea rax, [rip + ist1_top]
    mov [rip + tss + 36], rax
    LOAD_TASK
    call main
    EXIT

#include "probes.S"

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

/* What IRETQ takes to a label, on another stack; rax is the label's address. */
    .macro PUSH_FRAME label, flags
    push KERNEL_DATA
    lea rax, [rip + kernel_stack_top - 1024]
    push rax
    push \flags
    push KERNEL_CODE
    lea rax, [rip + \label]
    push rax
    .endm

/* Sets entry `index` of the test pages. */
    .macro SET_PAGE index, value:vararg
    mov rax, \value
    mov [rip + test_table + \index * 8], rax
    invlpg [TEST_PAGES + \index * 4096]
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

    STUBS

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
    mov rax, [rbx + FRAME_IP]
    sub rax, [rip + probe_start]
    SHOW "rip"
    SHOW "cs", [rbx + FRAME_CS]
    mov rax, [rbx + FRAME_FLAGS]
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
    lea rcx, [rip + interrupt_stack_top]
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
3:  mov rcx, [rip + probe_sp]
    and rcx, -16
    sub rax, rcx
    SHOW "on"
4:  mov rsp, [rip + probe_sp]
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
    lea rcx, [rip + interrupt_stack_top]
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

    .bss
    .skip 4096
ist1_top:
    .text
