/*
 * What the 32-bit tests start from, as common.S for the 64-bit ones: Multiboot entry, a GDT, an IDT whose handlers print what the processor
 * pushed, a TSS, and macros to write one probe in a few lines. MORE_DESCRIPTORS is put behind the GDT's own.
 */
    .intel_syntax noprefix

#define COM1 0x3f8
#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10
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
#define FRAME 0x180000
#define TEST_PAGES 0x40000000

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
    lgdt [gdt_pointer]
    ljmp KERNEL_CODE, offset flat
flat:
    mov eax, KERNEL_DATA
    mov ds, eax
    mov es, eax
    mov ss, eax
    mov fs, eax
    mov gs, eax
    mov ebx, offset stubs
    mov edi, offset idt
    xor ecx, ecx
2:  mov [edi], bx
    mov word ptr [edi + 2], KERNEL_CODE
    mov word ptr [edi + 4], 0x8e00
    mov eax, ebx
    shr eax, 16
    mov [edi + 6], ax
    add ebx, 16
    add edi, 8
    inc ecx
    cmp ecx, 256
    jne 2b
    or byte ptr [idt + 0x80 * 8 + 5], 0x60
    lidt [idt_pointer]
    mov eax, offset tss
    mov [gdt + TASK + 2], ax
    shr eax, 16
    mov [gdt + TASK + 4], al
    mov eax, offset ldt
    mov [gdt + LDT + 2], ax
    shr eax, 16
    mov [gdt + LDT + 4], al
    mov eax, offset gate_entry
    mov [gdt + CALL_GATE], ax
    shr eax, 16
    mov [gdt + CALL_GATE + 6], ax
    mov eax, offset jump_entry
    mov [gdt + JUMP_GATE], ax
    shr eax, 16
    mov [gdt + JUMP_GATE + 6], ax
    mov dword ptr [tss + 4], offset esp0_top
    mov dword ptr [tss + 8], KERNEL_DATA
    mov word ptr [tss + 0x66], 0x68
    mov eax, TASK
    ltr ax
    call main
    mov eax, 0
    mov edx, 0xf4
    out dx, eax
3:  hlt
    jmp 3b

print:
    push eax
    push edx
    push esi
1:  lodsb
    test al, al
    jz 2f
    call print_character
    jmp 1b
2:  pop esi
    pop edx
    pop eax
    ret
print_character:
    push edx
    push eax
    mov edx, COM1 + 5
3:  in al, dx
    test al, 0x20
    jz 3b
    pop eax
    mov edx, COM1
    out dx, al
    pop edx
    ret
print_hex:
    push eax
    push ecx
    push edx
    mov edx, eax
    mov ecx, 32
1:  sub ecx, 4
    jz 2f
    mov eax, edx
    shr eax, cl
    jz 1b
2:  mov eax, edx
    shr eax, cl
    and eax, 15
    add al, '0'
    cmp al, '9'
    jbe 3f
    add al, 'a' - '9' - 1
3:  call print_character
    sub ecx, 4
    jns 2b
    pop edx
    pop ecx
    pop eax
    ret

    .macro SHOW text, value:vararg
    .ifnb \value
    mov eax, \value
    .endif
    push esi
    mov esi, offset show_\@
    call print
    pop esi
    call print_hex
    .section .rodata
show_\@:
    .asciz " \text="
    .text
    .endm
    .macro SAY text
    push esi
    mov esi, offset say_\@
    call print
    pop esi
    .section .rodata
say_\@:
    .asciz "\text"
    .text
    .endm
    .macro BEGIN name
    SAY "\name:"
    lea eax, [7770f]
    mov [probe_start], eax
    lea eax, [7771f]
    mov [probe_end], eax
    mov [probe_esp], esp
7770:
    .endm
    .macro END
    SAY " no exception"
7771:
    SAY "\n"
    .endm
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
    .macro REFUSED name, instruction:vararg
    BEGIN "\name"
    ENTER_USER
    \instruction
    int 0x80
    END
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
#define FRAME_ERROR 4
#define FRAME_EIP 8
#define FRAME_CS 12
#define FRAME_EFLAGS 16
#define FRAME_ESP 20
#define FRAME_SS 24

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
    mov eax, [ebp + FRAME_EIP]
    sub eax, [probe_start]
    SHOW "eip"
    SHOW "cs", [ebp + FRAME_CS]
    mov eax, [ebp + FRAME_EFLAGS]
    and eax, 0xfffef72a
    SHOW "eflags"
    mov eax, cs
    xor eax, [ebp + FRAME_CS]
    test eax, 3
    jz 2f
    SHOW "ss", [ebp + FRAME_SS]
    mov eax, offset user_stack_top
    sub eax, [ebp + FRAME_ESP]
    SHOW "used"
    mov eax, offset esp0_top
    sub eax, ebp
    SHOW "frame"
    jmp 3f
2:  mov eax, [probe_esp]
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
4:  mov esp, [probe_esp]
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
    mov eax, offset esp0_top
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
gdt_pointer:
    .short gdt_end - gdt - 1
    .long gdt
idt_pointer:
    .short 0x7ff
    .long idt
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

    .bss
    .balign 4096
directory: .skip 4096
table: .skip 4096
pae_directory: .skip 8192
pae_table: .skip 4096
idt: .skip 2048
pointers: .skip 32
tss: .skip 128
probe_start: .skip 4
probe_end: .skip 4
probe_esp: .skip 4
scratch: .skip 16
    .balign 4096
    .skip 4096
kernel_stack_top:
    .skip 4096
esp0_top:
    .skip 4096
user_stack_top:
    .skip 4096
    .text
