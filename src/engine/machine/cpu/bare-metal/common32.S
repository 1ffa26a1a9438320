/*
 * What the 32-bit kernels start from: a GDT, handlers that print what the processor pushed, a TSS. MORE_DESCRIPTORS is put behind the GDT's
 * own.
 */
#define BITS 32
#define USER_CODE 0x18
#define USER_DATA 0x20
#define TASK 0x28
#define CALL_GATE 0x30
#define LDT 0x38
#define BASED_DATA 0x40
#define CONFORMING 0x48
#define ABSENT_CODE 0x50
#define JUMP_GATE 0x58
#define BEYOND 0x60

    .bss
    .balign 4096
directory: .skip 4096
table: .skip 4096
pae_directory: .skip 8192
pae_table: .skip 4096
pointers: .skip 32
scratch: .skip 16

#include "start.S"

entry32:
    mov esp, offset kernel_stack_top
    LOAD_SEGMENTS
    mov fs, eax
    mov gs, eax
    LOAD_IDT
    or byte ptr [idt + 0x80 * 8 + 5], 0x60
    BASE LDT, ldt
    TARGET CALL_GATE, gate_entry
    TARGET JUMP_GATE, jump_entry
    mov dword ptr [tss + 4], offset interrupt_stack_top
    mov dword ptr [tss + 8], KERNEL_DATA
    LOAD_TASK
    call main
    EXIT

#include "probes.S"

/* As in common.S. */
    .macro ENTER_USER flags=2
    push USER_DATA + 3
    lea eax, [user_stack_top]
    push eax
    push \flags
    push USER_CODE + 3
    lea eax, [user_\@]
    push eax
    mov dword ptr [probe_start], offset user_\@
    iretd
user_\@:
    .endm
    .macro PAGING_OFF
    mov eax, cr0
    and eax, 0x7fffffff
    mov cr0, eax
    .endm
    .macro PAGING_ON
    mov eax, cr0
    or eax, 0x80010000
    mov cr0, eax
    .endm

    STUBS

trap:
    mov ebp, esp
#ifdef KEEPS_COUNTS
    mov edx, ecx
    mov esi, edi
#endif
    mov ecx, ds
    mov edi, fs
    mov eax, KERNEL_DATA
    mov ds, eax
    mov es, eax
    cld
#ifdef KEEPS_COUNTS
    mov [left], edx
    mov [left + 4], esi
#endif
    SHOW "vector", [ebp + FRAME_VECTOR]
    mov eax, [ebp + FRAME_ERROR]
    cmp dword ptr [ebp + FRAME_VECTOR], 14
    je 1f
    and eax, -2                          /* EXT, which QEMU 7.2 never sets */
1:  SHOW "error"
    mov eax, [ebp + FRAME_IP]
    sub eax, [probe_start]
    SHOW "eip"
    SHOW "cs", [ebp + FRAME_CS]
    mov eax, [ebp + FRAME_FLAGS]
    and eax, 0xfffef72a
    SHOW "eflags"
    mov eax, cs
    xor eax, [ebp + FRAME_CS]
    test eax, 3
    jz 2f
    SHOW "ss", [ebp + FRAME_SS]
    mov eax, offset user_stack_top
    sub eax, [ebp + FRAME_SP]
    SHOW "used"
    mov eax, offset interrupt_stack_top
    sub eax, ebp
    SHOW "frame"
    jmp 3f
2:  mov eax, [probe_sp]
    sub eax, ebp
    SHOW "frame"
3:  mov eax, ss
    SHOW "handler-ss"
    SHOW "ds", ecx
    SHOW "fs", edi
    pushfd
    pop eax
    and eax, 0x4700
    SHOW "handler-eflags"
    cmp dword ptr [ebp + FRAME_VECTOR], 14
    jne 4f
    SHOW "cr2", cr2
4:  mov esp, [probe_sp]
    jmp [probe_end]

gate_entry:
    mov ebx, ds
    mov eax, KERNEL_DATA
    mov ds, eax
    SAY " gate"
    mov eax, cs
    SHOW "cs"
    mov eax, ss
    SHOW "ss"
    SHOW "ds", ebx
    SHOW "return-cs", [esp + 4]
    SHOW "first", [esp + 8]
    SHOW "second", [esp + 12]
    SHOW "return-ss", [esp + 20]
    mov eax, offset interrupt_stack_top
    sub eax, esp
    SHOW "frame"
    mov ds, ebx
    retf 8
jump_entry:
    SAY " jumped"
    mov eax, cs
    SHOW "cs"
    jmp [probe_end]
based_target:
    SAY " there"
    retf

    .section .data
    .balign 16
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff             /* KERNEL_CODE */
    .quad 0x00cf93000000ffff             /* KERNEL_DATA */
    .quad 0x00cffb000000ffff             /* USER_CODE */
    .quad 0x00cff3000000ffff             /* USER_DATA */
    .quad 0x0000890000000067             /* TASK */
    .quad 0x0000ec0200080000             /* CALL_GATE, DPL 3, two parameters */
    .quad 0x000082000000000f             /* LDT */
    .quad 0x00cf93181000ffff             /* BASED_DATA, base FRAME + 0x1000 */
    .quad 0x00cf9f000000ffff             /* CONFORMING */
    .quad 0x00cf1b000000ffff             /* ABSENT_CODE */
    .quad 0x00008c0000080000             /* JUMP_GATE */
#ifdef MORE_DESCRIPTORS
    MORE_DESCRIPTORS
#endif
gdt_end:
ldt:
    .quad 0
    .quad 0x00cf93181204ffff             /* base FRAME + 0x1204 */
    .balign 4
bounds: .long 1, 4
far_pointer:
    .long based_target
    .short KERNEL_CODE
stack_pointer:
    .long stack_word
    .short KERNEL_DATA
    .skip 64
stack_word: .long 0x77665544
based_selector: .short BASED_DATA
    .text
