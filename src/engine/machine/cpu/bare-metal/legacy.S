/*
 * What 32-bit protected mode has and 64-bit mode has not, or seldom uses: decimal arithmetic, addresses, operands, stacks and code of
 * 16 bits, display frames, selectors that are asked about, gates of 16 bits, the LDT, strings of ports, SYSENTER.
 */
#define CODE16 0x60
#define STACK16 0x68
#define GATE16 0x70
#define UNREADABLE 0x78
#define READ_ONLY 0x80
#define DOWN 0x88
#define CONFORMING3 0x90
#define SYSENTER_CODE 0x98
#define LIMITED 0xb8
#define BASE16 0x170000
#define MORE_DESCRIPTORS \
    .quad 0x00009b170000ffff; \
    .quad 0x000093180000ffff; \
    .quad 0x0000e40200080000; \
    .quad 0x00cf99000000ffff; \
    .quad 0x00cf91000000ffff; \
    .quad 0x0040960000000fff; \
    .quad 0x00cfff000000ffff; \
    .quad 0x00cf9b000000ffff; \
    .quad 0x00cf93000000ffff; \
    .quad 0x00cffb000000ffff; \
    .quad 0x00cff3000000ffff; \
    .quad 0x0040921801230456;
#include "common32.S"

/* Runs an instruction for every AL with CF and AF clear and set, and shows a sum of AX and the flags in a mask. */
    .macro DECIMAL name, flags, instruction:vararg
    BEGIN "\name"
    xor ebx, ebx
    xor ecx, ecx
1:  mov edx, ecx
    and edx, 0x300
    shr edx, 8
    mov eax, edx
    and eax, 1
    and edx, 2
    lea eax, [eax + edx * 8]
    mov edx, eax
    pushfd
    pop eax
    and eax, 0xfffff72a
    or eax, edx
    push eax
    movzx eax, cl
    mov ah, 0x35
    popfd
    \instruction
    pushfd
    pop edx
    and edx, \flags
    rol ebx, 5
    add ebx, eax
    rol ebx, 3
    xor ebx, edx
    inc ecx
    cmp ecx, 0x400
    jne 1b
    cld
    SHOW "sum", ebx
    END
    .endm
/* The address of a memory operand of 16 bits, by LEA and by what is there. */
    .macro AT16 operand:vararg
    lea eax, [\operand]
    SHOW "lea", eax
    movzx eax, word ptr fs:[\operand]
    SHOW "at", eax
    .endm
    .macro ASK selector
    mov ecx, \selector
    mov edi, 0x5a5a5a5a
    lar edi, ecx
    setz bl
    movzx eax, bl
    and edi, 0xfff0ff00
    SHOW "lar", eax
    SHOW "is", edi
    mov edi, 0x5a5a5a5a
    lsl edi, ecx
    setz bl
    movzx eax, bl
    SHOW "lsl", eax
    SHOW "is", edi
    verr cx
    setz bl
    movzx eax, bl
    SHOW "verr", eax
    verw cx
    setz bl
    movzx eax, bl
    SHOW "verw", eax
    SAY "\n"
    .endm

main:
    mov eax, offset CODE16_GATE
    mov [gdt + GATE16], ax
    mov word ptr [gdt + GATE16 + 2], CODE16
    /* The 16-bit code where its segment is. */
    mov esi, offset code16
    mov edi, BASE16
    mov ecx, offset CODE16_BYTES
    rep movsb
    DECIMAL "DAA", 0xd5, daa
    DECIMAL "DAS", 0xd5, das
    DECIMAL "AAA", 0x11, aaa
    DECIMAL "AAS", 0x11, aas
    DECIMAL "AAM", 0xc4, aam
    DECIMAL "AAD", 0xc4, aad
    DECIMAL "AAM 7", 0xc4, aam 7
    DECIMAL "AAD 3", 0xc4, aad 3
    DECIMAL "SALC", 0x1, .byte 0xd6
    BEGIN "AAM 0"
    mov eax, 5
    aam 0
    END

    /* Words that say where they are, through FS. */
    mov edi, FRAME
    xor eax, eax
1:  mov [edi + eax * 2], ax
    inc eax
    cmp eax, 0x8000
    jne 1b
    mov word ptr [gdt + BASED_DATA + 2], 0
    mov eax, BASED_DATA
    mov fs, eax
    mov ebx, 0x81230100
    mov ebp, 0x81230300
    mov esi, 0x81230010
    mov edi, 0x8123fff0
    BEGIN "addresses of 16 bits"
    AT16 bx + si
    AT16 bx + di
    AT16 bp + si
    AT16 bp + di
    AT16 si
    AT16 di
    AT16 bx
    AT16 bx + si + 0x20
    AT16 bp + 0x20
    AT16 bp - 0x20
    AT16 di + 0x1234
    AT16 bx + di + 0x8000
    .byte 0x67
    mov ax, fs:[0x246]
    SHOW "absolute", eax
    addr16 mov ax, fs:[0x248]
    SHOW "absolute", eax
    END
    BEGIN "counts of 16 bits"
    mov ecx, 0x10000
    addr16 jcxz 1f
    SAY " missed"
1:  jecxz 2f
    SAY " ecx"
2:  mov ecx, 0xabcd0003
    xor ebx, ebx
3:  inc ebx
    addr16 loop 3b
    SHOW "times", ebx
    SHOW "ecx", ecx
    END
    BEGIN "strings of 16 bits"
    push es
    mov eax, BASED_DATA
    mov es, eax
    mov esi, 0x12340100
    mov edi, 0x5678fffe
    mov ecx, 0x9abc0004
    .byte 0x64, 0x67, 0xf3, 0xa4
    SHOW "esi", esi
    SHOW "edi", edi
    SHOW "ecx", ecx
    SHOW "end", [FRAME + 0xfffe]
    SHOW "begin", [FRAME]
    mov ecx, 2
    mov edi, 0xffff
    std
    mov al, 0x77
    .byte 0x67, 0xf3, 0xaa
    cld
    SHOW "edi", edi
    .byte 0x64, 0x67, 0x66, 0xad
    SHOW "ax", eax
    pop es
    END
    BEGIN "XLAT and bits by 16 bits"
    mov ebx, 0x1234fffe
    mov al, 4
    .byte 0x64, 0x67, 0xd7
    SHOW "al", eax
    mov ebx, 0x100
    mov eax, -16
    bt word ptr fs:[bx], ax
    addr16 btc word ptr fs:[bx], ax
    setc al
    movzx eax, al
    SHOW "cf", eax
    movzx eax, word ptr [FRAME + 0xfe]
    SHOW "word", eax
    END
    BEGIN "BOUND and INTO of 16 bits"
    mov word ptr [FRAME + 0x200], -3
    mov word ptr [FRAME + 0x202], 9
    mov eax, 0x7777fffd
    bound ax, [FRAME + 0x200]
    mov eax, 10
    bound ax, [FRAME + 0x200]
    END
    BEGIN "ENTER with levels"
    mov ebp, offset frames + 64
    mov esp, offset frames + 512
    enter 24, 3
    mov eax, esp
    sub eax, offset frames
    SHOW "esp", eax
    mov eax, ebp
    sub eax, offset frames
    SHOW "ebp", eax
    mov eax, [frames + 504]
    SHOW "first", eax
    mov eax, [frames + 500]
    SHOW "second", eax
    mov eax, [frames + 496]
    sub eax, offset frames
    SHOW "third", eax
    mov edx, [frames + 508]
    sub edx, offset frames
    SHOW "saved", edx
    leave
    mov eax, esp
    sub eax, offset frames
    SHOW "esp", eax
    mov esp, [probe_sp]
    END
    BEGIN "ENTER of 16 bits"
    mov ebp, offset frames + 64
    mov edx, ebp
    mov esp, offset frames + 512
    .byte 0x66
    enter 6, 2
    mov eax, esp
    sub eax, offset frames
    SHOW "esp", eax
    movzx eax, bp
    movzx ecx, sp
    sub eax, ecx
    SHOW "bp", eax
    movzx eax, word ptr [frames + 508]
    SHOW "first", eax
    mov esp, [probe_sp]
    END
    BEGIN "PUSHA and POPA of 16 bits"
    mov eax, 0x11110001
    mov ecx, 0x22220002
    mov edx, 0x33330003
    mov ebx, 0x44440004
    mov ebp, 0x55550005
    mov esi, 0x66660006
    mov edi, 0x77770007
    pushaw
    SHOW "di si", [esp]
    SHOW "dx cx", [esp + 10]
    mov eax, -1
    mov edi, -1
    popaw
    SHOW "edi", edi
    SHOW "esi", esi
    mov eax, [probe_sp]
    sub eax, esp
    SHOW "esp", eax
    END
    BEGIN "PUSH and POP of 16 bits"
    push 0x12345678
    .byte 0x66, 0x68
    .word 0x9abc
    pop ax
    pop edx
    SHOW "ax", eax
    SHOW "edx", edx
    END

    BEGIN "a stack of 16 bits"
    mov ecx, esp
    mov eax, STACK16
    mov ss, eax
    mov esp, 0x12340004
    push 0x11223344
    push 0x55667788
    mov ebx, esp
    mov edx, [FRAME + 0xfffc]
    call 4f
4:  pop edi
    pushad
    mov esi, esp
    popad
    mov ebp, 0x5678fff0
    enter 4, 0
    mov edi, esp
    leave
    pop eax
    mov esi, esp
    mov esp, ecx
    mov ax, KERNEL_DATA
    mov ss, ax
    mov eax, ebx
    SHOW "esp", eax
    SHOW "there", edx
    SHOW "entered", edi
    SHOW "left", esi
    END
    BEGIN "code of 16 bits"
    mov ebx, 0x10000
    mov ecx, 0xff0003
    mov esi, 0
    lcall CODE16, 0
    SHOW "ebx", ebx
    SHOW "edx", edx
    SHOW "edi", edi
    END
    BEGIN "a gate of 16 bits"
    .byte 0x66, 0x68
    .word 0x22
    .byte 0x66, 0x68
    .word 0x11
    lcall GATE16, 0
    END
    BEGIN "a gate of 16 bits from CPL 3"
    ENTER_USER
    .byte 0x66, 0x68
    .word 0x22
    .byte 0x66, 0x68
    .word 0x11
    lcall GATE16 + 3, 0
    int 0x80
    END

    BEGIN "code in the LDT"
    mov eax, [gdt + KERNEL_CODE]
    mov [ldt], eax
    mov eax, [gdt + KERNEL_CODE + 4]
    mov [ldt], eax
    mov eax, [gdt + KERNEL_CODE]
    mov [ldt + 8], eax
    mov eax, [gdt + KERNEL_CODE + 4]
    mov [ldt + 12], eax
    mov eax, LDT
    lldt ax
    lcall 0x0c, offset in_ldt
    SHOW "cs", eax
    END
    BEGIN "conforming code keeps the level"
    ENTER_USER
    lcall CONFORMING + 3, offset in_conforming
    mov ebx, eax
    int 0x80
    END
    BEGIN "conforming code of an outer level"
    lcall CONFORMING3, offset in_ldt
    END
    BEGIN "an outer level by far CALL"
    lcall USER_CODE, offset in_ldt
    END
    BEGIN "data by far CALL"
    lcall KERNEL_DATA, offset in_ldt
    END
    BEGIN "RETF to data"
    push KERNEL_DATA
    push 0
    retf
    END

    SAY "at CPL 0:\n"
    ASK 0
    ASK KERNEL_CODE
    ASK USER_DATA + 3
    ASK KERNEL_DATA + 3
    ASK TASK
    ASK CALL_GATE + 3
    ASK LDT
    ASK CONFORMING + 3
    ASK ABSENT_CODE
    ASK UNREADABLE
    ASK READ_ONLY
    ASK DOWN
    ASK GATE16
    ASK LIMITED
    ASK 0x0c
    ASK 0x1c
    ASK 0x7f8
    BEGIN "asked at CPL 3"
    ENTER_USER
    mov eax, USER_DATA + 3
    mov ds, ax
    mov es, ax
    mov ecx, KERNEL_DATA
    lar edi, ecx
    setz bl
    mov ecx, CONFORMING
    lsl edi, ecx
    setz bh
    mov ecx, USER_DATA
    verw cx
    setz cl
    mov ch, bh
    int 0x80
    END
    BEGIN "LAR of 16 bits"
    mov ecx, USER_CODE
    mov edi, 0x5a5a5a5a
    lar di, cx
    SHOW "edi", edi
    lsl di, cx
    SHOW "edi", edi
    END
    BEGIN "ARPL"
    mov eax, 0x77770011
    mov ecx, 3
    arpl ax, cx
    setz dl
    SHOW "ax", eax
    movzx eax, dl
    SHOW "zf", eax
    mov eax, 0x13
    mov ecx, 2
    arpl ax, cx
    setz dl
    SHOW "ax", eax
    movzx eax, dl
    SHOW "zf", eax
    mov word ptr [scratch], 0x20
    mov ecx, 1
    arpl [scratch], cx
    movzx eax, word ptr [scratch]
    SHOW "memory", eax
    END

    BEGIN "OUTS"
    mov esi, offset text
    mov edx, COM1 + 7
    outsb
    mov ecx, 3
    rep outsb
    in al, dx
    movzx eax, al
    SHOW "last", eax
    mov eax, esi
    sub eax, offset text
    SHOW "esi", eax
    SHOW "ecx", ecx
    xor ecx, ecx
    rep outsb
    mov eax, esi
    sub eax, offset text
    SHOW "esi", eax
    END
    BEGIN "INS"
    mov edi, offset scratch
    mov dword ptr [scratch], 0
    mov dword ptr [scratch + 4], 0
    mov edx, COM1 + 7
    mov ecx, 3
    rep insb
    SHOW "memory", [scratch]
    mov eax, edi
    sub eax, offset scratch
    SHOW "edi", eax
    std
    insb
    cld
    SHOW "memory", [scratch]
    .byte 0x67, 0x6c
    END
    BEGIN "INS at CPL 3"
    ENTER_USER
    mov edx, COM1 + 7
    insb
    END

    mov al, 0xff
    out 0x21, al
    mov ecx, 0x174
    mov eax, SYSENTER_CODE
    xor edx, edx
    wrmsr
    inc ecx
    mov eax, offset interrupt_stack_top
    wrmsr
    inc ecx
    mov eax, offset entered
    wrmsr
    BEGIN "SYSENTER and SYSEXIT"
    ENTER_USER flags=0x202
    mov ecx, esp
    mov edx, offset after_sysenter
    sysenter
after_sysenter:
     mov eax, ss
    int 0x80
    END
    REFUSED "SYSEXIT at CPL 3", sysexit
    BEGIN "SYSENTER without a segment"
    mov ecx, 0x174
    xor eax, eax
    xor edx, edx
    wrmsr
    sysenter
    END
    ret

entered:
    mov eax, KERNEL_DATA
    push ds
    push ecx
    push edx
    mov ds, ax
    SAY " entered"
    mov eax, cs
    SHOW "cs"
    mov eax, ss
    SHOW "ss"
    pushfd
    pop eax
    and eax, 0x200
    SHOW "if"
    pop edx
    pop ecx
    pop ds
    sysexit
through_gate16:
    mov eax, KERNEL_DATA
    mov ds, eax
    movzx eax, word ptr [esp]
    sub ax, [probe_start]
    SHOW "ip", eax
    SHOW "cs and first", [esp + 2]
    movzx eax, word ptr [esp + 6]
    SHOW "second", eax
    mov eax, esp
    sub eax, offset kernel_stack_top
    SHOW "esp", eax
    mov eax, offset user_stack_top
    sub ax, [esp + 8]
    movzx eax, ax
    SHOW "outer", eax
    mov esp, [probe_sp]
    jmp [probe_end]
in_ldt:
    mov eax, cs
    retf
in_conforming:
    mov eax, cs
    retf

/* Copied to BASE16. */
    .code16
code16:
    push bx
    mov bx, 0x1234
    pop bx
    inc bx
    mov dx, cx
1:  inc bx
    loop 1b
    mov di, offset CODE16_WORD
    mov ax, cs:[di]
    mov dx, ax
    call 2f
    jmp 3f
2:  inc bx
    ret
3:  mov edi, 0x12345678
    push edi
    pop edi
    .byte 0x66, 0xcb
code16_word: .word 0xcafe
gate16_entry:
    .byte 0x66, 0xea
    .long through_gate16
    .word KERNEL_CODE
code16_end:
    .code32
    .set CODE16_BYTES, code16_end - code16
    .set CODE16_WORD, code16_word - code16
    .set CODE16_GATE, gate16_entry - code16

    .section .data
text: .ascii "abcdefgh"
    .balign 16
    .bss
frames: .skip 4096
