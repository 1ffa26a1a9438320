/* Each exception that an instruction can raise, with its error code, and where the saved RIP points. */
#include "common.S"

main:
    BEGIN "#DE by zero"
    xor ecx, ecx
    div ecx
    END
    BEGIN "#DE by quotient"
    mov edx, 1
    xor eax, eax
    mov ecx, 1
    div ecx
    END
    BEGIN "#DE by minimum / -1"
    mov rax, 0x8000000000000000
    cqo
    mov rcx, -1
    idiv rcx
    END
    BEGIN "#BP"
    int3
    END
    BEGIN "INT 3 in two bytes"
    .byte 0xcd, 0x03
    END
    BEGIN "#UD by UD2"
    ud2
    END
    BEGIN "#UD by PUSH CS, gone in 64-bit mode"
    .byte 0x0e
    END
    BEGIN "#UD by MOV CS"
    mov eax, KERNEL_DATA
    .byte 0x8e, 0xc8
    END
    BEGIN "#UD by CR1"
    .byte 0x0f, 0x20, 0xc8
    END
    BEGIN "#GP by code to SS"
    mov eax, KERNEL_CODE
    mov ss, eax
    END
    BEGIN "#GP by read-only data to SS"
    mov eax, READ_ONLY_DATA
    mov ss, eax
    END
    BEGIN "#SS by absent data to SS"
    mov eax, ABSENT_DATA
    mov ss, eax
    END
    BEGIN "#NP by absent data to DS"
    mov eax, ABSENT_DATA
    mov ds, eax
    END
    BEGIN "#GP by a TSS to ES"
    mov eax, TASK
    mov es, eax
    END
    BEGIN "#GP by a selector beyond the GDT"
    mov eax, BEYOND
    mov fs, eax
    END
    xor eax, eax
    lldt ax
    BEGIN "#GP by an LDT selector without LDT"
    mov eax, 0x0c
    mov gs, eax
    END
    BEGIN "#GP by LTR of a busy TSS"
    mov eax, TASK
    ltr ax
    END
    BEGIN "LTR of a free TSS, then of the first again"
    mov eax, FREE_TASK
    ltr ax
    and byte ptr [rip + gdt + TASK + 5], 0xfd
    mov eax, TASK
    ltr ax
    END
    BEGIN "#GP by LLDT of data"
    mov eax, KERNEL_DATA
    lldt ax
    END
    BEGIN "LLDT, and #GP beyond its limit"
    mov eax, LDT
    lldt ax
    mov eax, 0x14
    mov fs, eax
    END
    xor eax, eax
    lldt ax
    BEGIN "#GP by a non-canonical read"
    mov rax, 0x800000000000
    mov al, [rax]
    END
    BEGIN "#GP by a far return to null"
    push 0
    push 0
    retfq
    END
    BEGIN "#GP by a far return to data"
    push KERNEL_DATA
    push 0
    retfq
    END
    BEGIN "#NP by a far return to absent code"
    push ABSENT_CODE
    push 0
    retfq
    END
    BEGIN "#GP by IRETQ to an inner selector"
    push USER_DATA + 3
    push 0
    push 2
    push KERNEL_CODE + 3
    push 0
    iretq
    END
    BEGIN "#GP by IRETQ with null SS to CPL 3"
    push 0
    push 0
    push 2
    push USER_CODE + 3
    push 0
    iretq
    END
    BEGIN "#GP by IRETQ with NT set"
    push 0x4002
    popfq
    iretq
    END
    push 2
    popfq
    BEGIN "far CALL and RETF in 64-bit mode"
    lea rax, [rip + 1f]
    mov [rip + far_pointer], rax
    mov word ptr [rip + far_pointer + 8], KERNEL_CODE
    .byte 0x48                           /* REX.W: a 64-bit offset */
    call fword ptr [rip + far_pointer]
    jmp 2f
1:  SAY " there"
    retfq
2:
    END
    BEGIN "#NM by CR0.TS and FXSAVE"
    mov rax, cr0
    or eax, 8
    mov cr0, rax
    fxsave [rip + area]
    END
    BEGIN "#NM by CR0.TS and an SSE instruction, before its operand is looked at"
    addps xmm0, [8]
    END
    clts
    BEGIN "an SSE instruction after CLTS"
    addps xmm0, xmm1
    END
    mov rax, cr0
    or eax, 4
    mov cr0, rax
    BEGIN "#UD by CR0.EM and an SSE instruction"
    paddb xmm0, xmm1
    END
    mov rax, cr0
    and eax, ~4
    mov cr0, rax
    mov rax, cr4
    btr eax, 9
    mov cr4, rax
    BEGIN "#UD by CR4.OSFXSR clear and an SSE instruction"
    movd xmm0, eax
    END
    BEGIN "MOVNTI, which asks for neither"
    movnti [rip + area], eax
    END
    mov rax, cr4
    bts eax, 9
    mov cr4, rax
    BEGIN "#GP by FXSAVE at 8 modulo 16"
    fxsave [rip + area + 8]
    END
    BEGIN "#GP by MOVAPS at 8 modulo 16"
    movaps xmm0, [rip + area + 8]
    END
    BEGIN "#DB by TF, one instruction after POPF"
    push 0x102
    popfq
    nop
    nop
    END
    ret

    .section .data
    .balign 16
area: .skip 544
far_pointer: .skip 16
