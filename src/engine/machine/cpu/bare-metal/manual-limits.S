/*
 * Segment limits, types and rights outside 64-bit mode (SDM vol. 3, 5.3 to 5.5), none of which QEMU 7.2 checks. The expected output was
 * worked out by hand.
 */
#define LIMITED 0x60
#define READ_ONLY 0x68
#define DOWN 0x70
#define DOWN16 0x78
#define UNREADABLE 0x80
#define LIMITED_CODE 0x88
#define USER_STACK 0x90
#define USER_LIMITED 0x98
#define USER_CODE_LIMITED 0xa0
#define PAGES 0xa8
#define MORE_DESCRIPTORS \
    .quad 0x0040921800000fff; \
    .quad 0x00cf91000000ffff; \
    .quad 0x0040961800000fff; \
    .quad 0x0000961800000fff; \
    .quad 0x00cf99000000ffff; \
    .quad 0x00409b180000100f; \
    .quad 0x0040f218000001ff; \
    .quad 0x00c0f30000000fff; \
    .quad 0x00c0fb00000007ff; \
    .quad 0x00c0921800000001;
#define KEEPS_COUNTS
#include "common32.S"

/* Loads DS, runs an instruction, loads it with the flat segment again. */
    .macro WITH name, selector, instruction:vararg
    BEGIN "\name"
    mov edi, 0xffc
    mov ecx, \selector
    mov ds, ecx
    mov dword ptr ss:[probe_start], offset with_\@
with_\@:
    \instruction
    mov ecx, KERNEL_DATA
    mov ds, ecx
    END
    .endm
    .macro WITHIN name, instruction:vararg
    WITH "\name", LIMITED, \instruction
    .endm

main:
    WITHIN "the last four bytes", mov eax, [edi]
    WITHIN "one byte more", mov eax, [edi + 1]
    WITHIN "the last byte", mov al, [edi + 3]
    WITHIN "the byte behind it", mov al, [edi + 4]
    WITHIN "a write behind it", mov [edi + 2], eax
    WITHIN "an addition behind it", add [edi + 1], eax
    WITHIN "an address that wraps", mov al, [edi - 0x1000]
    WITHIN "an address alone", lea eax, [edi + 0x10000]
    WITHIN "sixteen bytes", fnstenv [edi]
    WITHIN "a bit string", bts [edi - 4], edi
    WITHIN "a bit string behind it", bts [edi], ecx
    WITHIN "LGDT", lgdt [edi]
    WITHIN "a far pointer", lfs eax, [edi]
    WITHIN "a far pointer within", les eax, [0]
    mov eax, KERNEL_DATA
    mov es, eax
    WITHIN "an indirect jump", jmp [edi + 2]
    WITHIN "POP to memory", pop dword ptr [edi + 4]
    WITHIN "PUSH of memory", push dword ptr [edi + 4]
    WITHIN "XCHG", xchg [edi + 1], eax
    WITHIN "CMPXCHG8B", cmpxchg8b [edi - 3]
    WITHIN "a segment register", mov [edi + 3], ds
    WITHIN "through another segment", mov eax, ss:[edi + 4]
    WITH "a limit in pages", PAGES, mov eax, [edi + 0x1000]
    WITH "behind it", PAGES, mov eax, [edi + 0x1001]
    WITH "reading what is read-only", READ_ONLY, mov eax, [edi]
    WITH "writing it", READ_ONLY, mov [edi], eax
    WITH "changing it", READ_ONLY, inc dword ptr [edi]
    WITH "storing to it", READ_ONLY, str [edi]
    WITH "a segment that grows downwards, below", DOWN, mov eax, [edi]
    WITH "above", DOWN, mov eax, [edi + 4]
    WITH "at its top", DOWN, mov al, [edi - 0xffd]
    WITH "at the top of one of 16 bits", DOWN16, mov al, [edi + 0xf003]
    WITH "beyond that", DOWN16, mov ax, [edi + 0xf003]
    WITH "null", 0, mov eax, [edi]
    WITH "null, an address", 0, lea eax, [edi]
    WITH "null, no bytes", 0, nop dword ptr [edi]
    WITH "code", KERNEL_CODE, mov eax, [edi]
    WITH "writing code", KERNEL_CODE, mov [edi], eax
    BEGIN "writing through CS"
    mov dword ptr cs:[scratch], 1
    END
    BEGIN "reading through CS"
    mov eax, cs:[bounds]
    SHOW "value", eax
    END
    BEGIN "null in FS"
    xor eax, eax
    mov fs, eax
    mov eax, fs:[0]
    END
    BEGIN "FS with a limit"
    mov eax, LIMITED
    mov fs, eax
    mov eax, fs:[0xffd]
    END
    mov eax, KERNEL_DATA
    mov fs, eax

    BEGIN "REP MOVSB up to the limit"
    mov eax, LIMITED
    mov es, eax
    mov edi, 0xff8
    mov esi, offset bounds
    mov ecx, 20
    rep movsb
    END
    mov eax, KERNEL_DATA
    mov es, eax
    SHOW "left", [left]
    SHOW "edi", [left + 4]
    SAY "\n"
    BEGIN "CMPSB reads its destination first"
    xor eax, eax
    mov es, eax
    mov ds, eax
    cmpsb
    END
    mov eax, KERNEL_DATA
    mov es, eax
    mov ds, eax

    BEGIN "a push beyond a stack's end"
    ENTER_USER
    mov eax, USER_STACK + 3
    mov ss, eax
    mov esp, 0x204
    push eax
    END
    BEGIN "a push at it, and what it leaves"
    ENTER_USER
    mov eax, USER_STACK + 3
    mov ss, eax
    mov esp, 0x200
    push eax
    pop ebx
    call 1f
1:  leave
    END
    BEGIN "a loop of checked accesses"
    mov eax, LIMITED
    mov ds, eax
    xor ecx, ecx
1:  add [ecx], ecx
    mov eax, [ecx]
    inc ecx
    jmp 1b
    END

    BEGIN "a jump beyond the code segment"
    mov edi, 0x180000
    mov byte ptr [edi], 0xe9
    mov dword ptr [edi + 1], 0x100b
    lcall LIMITED_CODE, 0
    END
    BEGIN "the last instruction of it"
    mov edi, 0x180000
    mov byte ptr [edi + 0x100e], 0x90
    mov byte ptr [edi + 0x100f], 0xcb
    lcall LIMITED_CODE, 0x100e
    END
    BEGIN "running out of it"
    mov edi, 0x180000
    mov byte ptr [edi + 0x100f], 0x90
    lcall LIMITED_CODE, 0x100e
    END
    BEGIN "an instruction that sticks out"
    mov edi, 0x180000
    mov byte ptr [edi + 0x100e], 0xb8
    lcall LIMITED_CODE, 0x100e
    END
    BEGIN "a far call beyond it"
    mov edi, 0x180000
    lcall LIMITED_CODE, 0x1010
    END
    BEGIN "a branch that is not taken"
    mov edi, 0x180000
    mov dword ptr [edi], 0x10840f
    mov dword ptr [edi + 4], 0xcb0000
    or esp, esp
    mov byte ptr [edi + 3], 0x20
    lcall LIMITED_CODE, 0
    END
    BEGIN "a branch that is taken"
    mov edi, 0x180000
    xor eax, eax
    lcall LIMITED_CODE, 0
    END
    BEGIN "a call beyond it pushes nothing"
    mov edi, 0x180000
    mov dword ptr [edi], 0x2000e8
    mov dword ptr [edi + 4], 0
    lcall LIMITED_CODE, 0
    END
    BEGIN "LOOP beyond it counts nothing"
    mov edi, 0x180000
    mov word ptr [edi + 0x1000], 0x7fe2
    mov ecx, 5
    lcall LIMITED_CODE, 0x1000
    END
    SHOW "ecx", [left]
    SAY "\n"
    BEGIN "CPL 3 within its limits"
    ENTER_USER
    mov eax, USER_LIMITED + 3
    mov ds, eax
    mov ebx, [bounds]
    mov eax, [0xfffffc]
    mov eax, [0xfffffd]
    END
    BEGIN "CPL 3 in limited code"
    push USER_DATA + 3
    lea eax, [user_stack_top]
    push eax
    push 2
    push USER_CODE_LIMITED + 3
    lea eax, [limited_user]
    push eax
    mov dword ptr [probe_start], offset limited_user
    iretd
limited_user:
    mov ecx, 3000
1:  dec ecx
    jnz 1b
    mov eax, 0x800000
    jmp eax
    END
    ret

    .section .data
    .balign 16
left: .long 0, 0, 0, 0
