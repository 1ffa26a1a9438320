/*
 * Debug registers: breakpoints on instructions, data and ports, single steps, DR6 and DR7 with their aliases. manual-debug.S has what
 * QEMU 7.2 gets wrong.
 */
#include "debug-macros.S"

main:
    BEGIN "after a reset"
    SHOW "dr6", dr6
    SHOW "dr7", dr7
    END
    BEGIN "a write to four bytes"
    lea rax, [rip + data + 4]
    WATCH 0, GLOBAL(0) + DR7_WRITE(0) + DR7_BYTES4(0)
    lea rax, [rip + 1f]
    mov [rip + probe_start], rax
1:  mov byte ptr [rdi + 3], 1
    mov eax, [rdi + 4]
    mov byte ptr [rdi + 8], 1
    mov byte ptr [rdi + 7], 1
    nop
    DONE
    BEGIN "a read of eight bytes that ends in one"
    lea rax, [rip + data + 8]
    WATCH 1, LOCAL(1) + DR7_ACCESS(1)
    mov rax, [rdi + 1]
    nop
    DONE
    BEGIN "a read of none"
    lea rax, [rip + data + 8]
    WATCH 1, LOCAL(1) + DR7_WRITE(1)
    mov rax, [rdi + 1]
    nop
    DONE
    BEGIN "eight bytes"
    lea rax, [rip + data + 8]
    WATCH 2, GLOBAL(2) + DR7_ACCESS(2) + DR7_BYTES8(2)
    mov al, [rdi + 7]
    mov al, [rdi + 16]
    mov al, [rdi + 15]
    nop
    DONE
    BEGIN "two bytes, by an addition in memory"
    lea rax, [rip + data + 2]
    WATCH 3, GLOBAL(3) + DR7_WRITE(3) + DR7_BYTES2(3)
    add dword ptr [rdi], 5
    nop
    DONE
    BEGIN "a push"
    lea rsp, [rip + data + 2056]
    lea rax, [rip + data + 2048]
    WATCH 0, GLOBAL(0) + DR7_WRITE(0) + DR7_BYTES8(0)
    push rdi
    nop
    DONE
    BEGIN "PUSHF and SGDT"
    lea rax, [rip + data + 2]
    WATCH 0, GLOBAL(0) + DR7_WRITE(0) + DR7_BYTES2(0)
    pushfq
    sgdt [rdi]
    nop
    DONE
    BEGIN "REP MOVSB, which is found in the middle"
    lea rax, [rip + data + 5]
    WATCH 0, GLOBAL(0) + DR7_WRITE(0)
    lea rsi, [rip + data + 100]
    mov ecx, 20
    rep movsb
    nop
    DONE
    SHOW "left", rcx
    SAY "\n"
    BEGIN "across a page boundary"
    SET_PAGE 0, FRAME + 7
    SET_PAGE 1, FRAME + 4096 + 7
    mov rax, TEST_PAGES + 4096
    WATCH 0, GLOBAL(0) + DR7_WRITE(0) + DR7_BYTES4(0)
    mov dword ptr [TEST_PAGES + 4090], eax
    mov dword ptr [TEST_PAGES + 4094], eax
    nop
    DONE
    BEGIN "another linear address of the same memory"
    SET_PAGE 2, FRAME + 7
    mov rax, TEST_PAGES
    WATCH 0, GLOBAL(0) + DR7_WRITE(0) + DR7_BYTES4(0)
    mov dword ptr [TEST_PAGES + 8192], eax
    DONE
    BEGIN "a write that faults"
    SET_PAGE 3, 0
    mov rax, TEST_PAGES + 3 * 4096
    WATCH 0, GLOBAL(0) + DR7_WRITE(0) + DR7_BYTES4(0)
    mov dword ptr [TEST_PAGES + 3 * 4096], eax
    DONE
    BEGIN "a loop beside a watched place"
    lea rax, [rip + data + 64]
    WATCH 0, GLOBAL(0) + DR7_WRITE(0) + DR7_BYTES4(0)
    mov ecx, 5000
1:  add dword ptr [rdi + 60], ecx
    mov eax, [rdi + 64]
    loop 1b
    SHOW "sum", [rdi + 60]
    mov [rdi + 64], ecx
    nop
    DONE
    BEGIN "CPL 3 writes"
    lea rax, [rip + data]
    WATCH 0, LOCAL(0) + DR7_WRITE(0) + DR7_BYTES4(0)
    ENTER_USER
    mov dword ptr [rip + data], 1
    int 0x80
    DONE
    BEGIN "an instruction"
    lea rax, [rip + 1f]
    WATCH 0, GLOBAL(0)
    mov eax, 7
    nop
1:  mov eax, 8
    DONE
    BEGIN "its second byte is none"
    lea rax, [rip + 1f + 1]
    WATCH 0, GLOBAL(0)
    nop
1:  mov eax, 8
    DONE
    BEGIN "reading its bytes is no execution"
    lea rax, [rip + 1f]
    WATCH 0, GLOBAL(0)
    mov al, [rip + 1f]
    jmp 2f
1:  nop
2:  nop
    DONE
    BEGIN "in a loop that has run before"
    mov ecx, 5000
    call counted
    lea rax, [rip + counted_add]
    WATCH 0, GLOBAL(0)
    mov ecx, 3
    call counted
    DONE
    BEGIN "IRET with RF steps over it"
    lea rax, [rip + 1f]
    WATCH 0, GLOBAL(0)
    push KERNEL_DATA
    lea rax, [rip + kernel_stack_top - 1024]
    push rax
    push 0x10002
    push KERNEL_CODE
    lea rax, [rip + 1f]
    push rax
    xor ecx, ecx
    iretq
1:  inc ecx
    cmp ecx, 2
    jne 1b
    DONE
    SHOW "count", rcx
    SAY "\n"
    BEGIN "IRET without"
    lea rax, [rip + 1f]
    WATCH 0, GLOBAL(0)
    push KERNEL_DATA
    lea rax, [rip + kernel_stack_top - 1024]
    push rax
    push 2
    push KERNEL_CODE
    lea rax, [rip + 1f]
    push rax
    xor ecx, ecx
    iretq
1:  inc ecx
    DONE
    BEGIN "PUSHF does not show RF"
    lea rax, [rip + 2f]
    WATCH 0, GLOBAL(0)
    push KERNEL_DATA
    lea rax, [rip + kernel_stack_top - 1024]
    push rax
    push 0x10002
    push KERNEL_CODE
    lea rax, [rip + 1f]
    push rax
    iretq
1:  pushfq
    SHOW "rflags", [rsp]
    nop
2:  nop
    DONE
    BEGIN "none is enabled"
    lea rax, [rip + data]
    WATCH 1, DR7_WRITE(1) + DR7_BYTES4(1)
    mov [rdi], eax
    nop
    DONE
    BEGIN "single step"
    pushfq
    or dword ptr [rsp], 0x100
    popfq
    nop
    nop
    DONE
    mov rax, cr4
    or eax, 8
    mov cr4, rax
    BEGIN "OUT"
    mov eax, 0x80
    WATCH 0, GLOBAL(0) + DR7_PORT(0)
    out 0x80, al
    nop
    DONE
    BEGIN "IN of another"
    mov eax, 0x80
    WATCH 0, GLOBAL(0) + DR7_PORT(0)
    in al, 0x61
    nop
    DONE
    BEGIN "DR4 with CR4.DE"
    .byte 0x0f, 0x21, 0xe0
    END
    mov rax, cr4
    and eax, 0xfffffff7
    mov cr4, rax
    BEGIN "DR4 and DR5 are DR6 and DR7"
    mov eax, 0x4321
    mov dr3, rax
    mov eax, 0x402
    .byte 0x0f, 0x23, 0xe8                /* mov dr5, rax */
    SHOW "dr7", dr7
    mov eax, 0x4001
    .byte 0x0f, 0x23, 0xe0                /* mov dr4, rax */
    SHOW "dr6", dr6
    SHOW "dr3", dr3
    DONE
    REFUSED "MOV DR at CPL 3", mov rax, dr0
    ret

    .balign 64
counted:
    nop
counted_add:
    add eax, ecx
    loop counted
    ret

    .section .data
    .balign 4096
data: .skip 4096
