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
    WATCH 0, data + 4, GLOBAL(0) + DR7_WRITE(0) + DR7_BYTES4(0)
    lea rax, [rip + 1f]
    mov [rip + probe_start], rax
1:  mov byte ptr [rdi + 3], 1
    mov eax, [rdi + 4]
    mov byte ptr [rdi + 8], 1
    mov byte ptr [rdi + 7], 1
    nop
    DONE
    BEGIN "a read of eight bytes that ends in one"
    WATCH 1, data + 8, LOCAL(1) + DR7_ACCESS(1)
    mov rax, [rdi + 1]
    nop
    DONE
    BEGIN "a read of none"
    WATCH 1, data + 8, LOCAL(1) + DR7_WRITE(1)
    mov rax, [rdi + 1]
    nop
    DONE
    BEGIN "eight bytes"
    WATCH 2, data + 8, GLOBAL(2) + DR7_ACCESS(2) + DR7_BYTES8(2)
    mov al, [rdi + 7]
    mov al, [rdi + 16]
    mov al, [rdi + 15]
    nop
    DONE
    BEGIN "two bytes, by an addition in memory"
    WATCH 3, data + 2, GLOBAL(3) + DR7_WRITE(3) + DR7_BYTES2(3)
    add dword ptr [rdi], 5
    nop
    DONE
    BEGIN "a push"
    lea rsp, [rip + data + 2056]
    WATCH 0, data + 2048, GLOBAL(0) + DR7_WRITE(0) + DR7_BYTES8(0)
    push rdi
    nop
    DONE
    BEGIN "PUSHF and SGDT"
    WATCH 0, data + 2, GLOBAL(0) + DR7_WRITE(0) + DR7_BYTES2(0)
    pushfq
    sgdt [rdi]
    nop
    DONE
    BEGIN "REP MOVSB, which is found in the middle"
    WATCH 0, data + 5, GLOBAL(0) + DR7_WRITE(0)
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
    WATCH_RAX 0, GLOBAL(0) + DR7_WRITE(0) + DR7_BYTES4(0)
    mov dword ptr [TEST_PAGES + 4090], eax
    mov dword ptr [TEST_PAGES + 4094], eax
    nop
    DONE
    BEGIN "another linear address of the same memory"
    SET_PAGE 2, FRAME + 7
    mov rax, TEST_PAGES
    WATCH_RAX 0, GLOBAL(0) + DR7_WRITE(0) + DR7_BYTES4(0)
    mov dword ptr [TEST_PAGES + 8192], eax
    DONE
    BEGIN "a write that faults"
    SET_PAGE 3, 0
    mov rax, TEST_PAGES + 3 * 4096
    WATCH_RAX 0, GLOBAL(0) + DR7_WRITE(0) + DR7_BYTES4(0)
    mov dword ptr [TEST_PAGES + 3 * 4096], eax
    DONE
    BEGIN "a loop beside a watched place"
    WATCH 0, data + 64, GLOBAL(0) + DR7_WRITE(0) + DR7_BYTES4(0)
    mov ecx, 5000
1:  add dword ptr [rdi + 60], ecx
    mov eax, [rdi + 64]
    loop 1b
    SHOW "sum", [rdi + 60]
    mov [rdi + 64], ecx
    nop
    DONE
    BEGIN "CPL 3 writes"
    WATCH 0, data, LOCAL(0) + DR7_WRITE(0) + DR7_BYTES4(0)
    ENTER_USER
    mov dword ptr [rip + data], 1
    int 0x80
    DONE
    BEGIN "an instruction"
    WATCH 0, 1f, GLOBAL(0)
    mov eax, 7
    nop
1:  mov eax, 8
    DONE
    BEGIN "its second byte is none"
    WATCH 0, 1f + 1, GLOBAL(0)
    nop
1:  mov eax, 8
    DONE
    BEGIN "reading its bytes is no execution"
    WATCH 0, 1f, GLOBAL(0)
    mov al, [rip + 1f]
    jmp 2f
1:  nop
2:  nop
    DONE
    BEGIN "in a loop that has run before"
    mov ecx, 5000
    call counted
    WATCH 0, counted_add, GLOBAL(0)
    mov ecx, 3
    call counted
    DONE
    BEGIN "IRET with RF steps over it"
    WATCH 0, 1f, GLOBAL(0)
    PUSH_FRAME 1f, 0x10002
    xor ecx, ecx
    iretq
1:  inc ecx
    cmp ecx, 2
    jne 1b
    DONE
    SHOW "count", rcx
    SAY "\n"
    BEGIN "IRET without"
    WATCH 0, 1f, GLOBAL(0)
    PUSH_FRAME 1f, 2
    xor ecx, ecx
    iretq
1:  inc ecx
    DONE
    BEGIN "PUSHF does not show RF"
    WATCH 0, 2f, GLOBAL(0)
    PUSH_FRAME 1f, 0x10002
    iretq
1:  pushfq
    SHOW "rflags", [rsp]
    nop
2:  nop
    DONE
    BEGIN "none is enabled"
    WATCH 1, data, DR7_WRITE(1) + DR7_BYTES4(1)
    mov [rdi], eax
    nop
    DONE
    BEGIN "single step"
    STEP
    nop
    nop
    DONE
    mov rax, cr4
    or eax, 8
    mov cr4, rax
    BEGIN "OUT"
    mov eax, 0x80
    WATCH_RAX 0, GLOBAL(0) + DR7_PORT(0)
    out 0x80, al
    nop
    DONE
    BEGIN "IN of another"
    mov eax, 0x80
    WATCH_RAX 0, GLOBAL(0) + DR7_PORT(0)
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
