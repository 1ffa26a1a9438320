/* What CPL 3 may and may not do; INT from ring 3 and the way back; call gates; SYSCALL and SYSRET. */
#include "common.S"

main:
    REFUSED "HLT", hlt
    REFUSED "CLI", cli
    REFUSED "STI", sti
    REFUSED "IN", in al, 0x80
    REFUSED "OUT", out 0x80, al
    REFUSED "MOV from CR0", mov rax, cr0
    REFUSED "MOV to CR3", mov cr3, rax
    REFUSED "MOV from DR7", mov rax, dr7
    REFUSED "LGDT", lgdt [rip + gdt_pointer]
    REFUSED "LIDT", lidt [rip + idt_pointer]
    REFUSED "LTR", ltr ax
    REFUSED "LLDT", lldt ax
    REFUSED "LMSW", lmsw ax
    REFUSED "CLTS", clts
    REFUSED "INVLPG", invlpg [rax]
    REFUSED "WBINVD", wbinvd
    REFUSED "RDMSR", rdmsr
    REFUSED "WRMSR", wrmsr
    REFUSED "SWAPGS", swapgs
    REFUSED "SYSRET", sysretq
    BEGIN "kernel data in DS"
    ENTER_USER
    mov eax, KERNEL_DATA
    mov ds, eax
    int 0x80
    END
    BEGIN "null in SS"
    ENTER_USER
    xor eax, eax
    mov ss, eax
    int 0x80
    END
    BEGIN "far return inwards"
    ENTER_USER
    push KERNEL_CODE
    push 0
    retfq
    int 0x80
    END
    BEGIN "IRETQ inwards"
    ENTER_USER
    push KERNEL_DATA
    push 0
    push 2
    push KERNEL_CODE
    push 0
    iretq
    int 0x80
    END

    /* Allowed ones end in INT 0x80, whose frame shows that nothing happened before. */
    REFUSED "INT 0x80", nop
    BEGIN "an interrupt gate clears IF"
    mov al, 0xff
    out 0x21, al
    out 0xa1, al
    ENTER_USER 0x202
    int 0x80
    END
    BEGIN "a trap gate leaves IF"
    mov byte ptr [rip + idt + 0x80 * 16 + 5], 0xef
    ENTER_USER 0x202
    int 0x80
    END
    mov byte ptr [rip + idt + 0x80 * 16 + 5], 0xee
    BEGIN "SGDT, STR and SMSW are for everybody"
    ENTER_USER
    sgdt [rip + scratch]
    str ax
    smsw ax
    int 0x80
    END
    BEGIN "POPF cannot set IF or IOPL"
    ENTER_USER
    push 0x3202
    popfq
    int 0x80
    END
    BEGIN "POPF sets DF, NT, AC and ID"
    ENTER_USER
    push 0x244402
    popfq
    int 0x80
    END
    BEGIN "CONFORMING_CODE runs at CPL 3"
    ENTER_USER
    push CONFORMING_CODE + 3
    lea rax, [rip + conforming]
    push rax
    retfq
    int 0x80
    END
    BEGIN "INT 0x80 on an interrupt stack"
    mov byte ptr [rip + idt + 0x80 * 16 + 4], 1
    ENTER_USER
    int 0x80
    END
    BEGIN "#UD at CPL 0 on an interrupt stack, RSP not aligned"
    mov byte ptr [rip + idt + 6 * 16 + 4], 1
    push 0
    ud2
    END
    mov byte ptr [rip + idt + 0x80 * 16 + 4], 0
    mov byte ptr [rip + idt + 6 * 16 + 4], 0

    BEGIN "IN and OUT with IOPL 3"
    ENTER_USER 0x3002
    in al, 0x80
    out 0x80, al
    int 0x80
    END
    BEGIN "OUT through the permission map"
    mov word ptr [rip + gdt + TASK], 0x7f
    and byte ptr [rip + gdt + TASK + 5], 0xfd
    mov word ptr [rip + tss + 0x66], 0x68
    mov qword ptr [rip + tss + 0x68], -1
    mov qword ptr [rip + tss + 0x70], -1
    mov byte ptr [rip + tss + 0x68 + 0x10], 0xfc
    mov byte ptr [rip + tss + 0x7f], 0xff
    mov eax, TASK
    ltr ax
    ENTER_USER
    out 0x80, ax
    out 0x82, al
    END

    BEGIN "call gate and back"
    ENTER_USER
    .byte 0x48
    call fword ptr [rip + gate_pointer]
    int 0x80
    END

    BEGIN "IRETQ to CPL 3 nulls kernel segments, keeps user ones"
    mov eax, KERNEL_DATA
    mov ds, eax
    mov eax, USER_DATA + 3
    mov es, eax
    ENTER_USER
    mov ebx, ds
    mov ecx, es
    mov [rip + scratch], rbx
    mov [rip + scratch + 8], rcx
    int 0x80
    END
    SHOW "ds", [rip + scratch]
    SHOW "es", [rip + scratch + 8]
    SAY "\n"

    BEGIN "32-bit code at CPL 3, and INT from it"
    push USER_DATA + 3
    lea rax, [rip + user_stack_top]
    push rax
    push 2
    push USER_CODE32 + 3
    lea rax, [rip + compatibility]
    push rax
    mov [rip + probe_start], rax
    iretq
    .code32
compatibility:
    push eax
    pop ebx
    mov ecx, esp
    int 0x80
    .code64
    END
    lea rax, [rip + user_stack_top]
    sub rcx, rax

    /* SYSCALL: kernel segments at 8, user ones from 0x18 + 3 on. */
    mov ecx, 0xc0000081
    xor eax, eax
    mov edx, ((USER_CODE32 + 3) << 16) | KERNEL_CODE
    wrmsr
    mov ecx, 0xc0000082
    lea rax, [rip + syscall_entry]
    mov rdx, rax
    shr rdx, 32
    wrmsr
    mov ecx, 0xc0000084
    mov eax, 0x4700                      /* TF IF DF NT */
    xor edx, edx
    wrmsr
    BEGIN "SYSCALL and SYSRET"
    ENTER_USER 0x402
    mov eax, 39
    syscall
after_syscall:
    mov ebx, cs
    mov ecx, ss
    mov [rip + scratch], rbx
    mov [rip + scratch + 8], rcx
    int 0x80
    END
    SHOW "cs", [rip + scratch]
    SHOW "ss", [rip + scratch + 8]
    SAY "\n"
    BEGIN "SYSCALL without SCE"
    mov ecx, 0xc0000080
    rdmsr
    and eax, 0xfffffffe
    wrmsr
    syscall
    END
    BEGIN "SWAPGS"
    mov ecx, 0xc0000102
    mov eax, 0x12345678
    mov edx, 0xffff8000
    wrmsr
    swapgs
    mov ecx, 0xc0000101
    rdmsr
    shl rdx, 32
    or rax, rdx
    SHOW "gs-base"
    END
    ret

conforming:
    int 0x80

syscall_entry:
    mov r8, rsp
    lea rsp, [rip + kernel_stack_top - 2048]
    lea rbx, [rip + after_syscall]
    mov rax, rcx
    sub rax, rbx
    SHOW "rcx"
    SHOW "r11", r11
    pushfq
    pop rax
    and eax, 0xfffff72a
    SHOW "rflags"
    mov eax, cs
    SHOW "cs"
    mov eax, ss
    SHOW "ss"
    lea rax, [rip + user_stack_top]
    sub rax, r8
    SHOW "stack"
    mov rsp, r8
    sysretq

    .section .data
    .balign 16
scratch: .skip 32
gate_pointer:
    .quad 0
    .short CALL_GATE + 3
