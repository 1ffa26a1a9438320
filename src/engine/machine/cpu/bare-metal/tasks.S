/*
 * Task switches by hardware: by far JMP and CALL, through task gates in GDT and IDT, back by IRET, with their busy bits, links and faults.
 */
#include "tasks-macros.S"

main:
    BASE TASK2, tss2
    BASE TASK16, tss16
    BASE CODE_AT_TASK16, in_task16
    BASE SHORT_TASK, tss2
    BASE ABSENT_TASK, tss2
    BASE USER_TASK, tss2

    PREPARE jumped
    BEGIN "far JMP"
    mov ebx, 0x1111
    ljmp TASK2, 0x12345
    SHOW "ebx", ebx
    BUSY
    str eax
    SHOW "tr", eax
    END
    PREPARE called
    BEGIN "far CALL"
    mov ebp, 0x2222
    lcall TASK2, 0
    SHOW "ebp", ebp
    BUSY
    pushfd
    pop eax
    and eax, 0x4000
    SHOW "nt", eax
    lcall TASK2, 0
    SAY " back"
    END
    PREPARE called
    BEGIN "far CALL through a task gate"
    lcall TASK_GATE + 3, 0
    END
    PREPARE called
    BEGIN "a task gate from CPL 3"
    ENTER_USER
    mov eax, 0x3333
    lcall TASK_GATE + 3, 0
    nop
    int 0x80
    END
    AGAIN
    PREPARE called
    BEGIN "a TSS from CPL 3"
    ENTER_USER
    lcall USER_TASK + 3, 0
    int 0x80
    END
    AGAIN
    mov byte ptr [gdt + USER_TASK + 5], 0xe9
    BEGIN "a TSS of DPL 0 from CPL 3"
    ENTER_USER
    lcall TASK2 + 3, 0
    int 0x80
    END
    BEGIN "the current task"
    ljmp TASK, 0
    END
    BEGIN "an absent TSS"
    ljmp ABSENT_TASK, 0
    END
    BEGIN "a TSS that is too short"
    lcall SHORT_TASK, 0
    END
    BEGIN "an absent gate"
    ljmp ABSENT_GATE, 0
    END
    BEGIN "IRET with NT and no link"
    mov word ptr [tss], 0
    push 0x4002
    popfd
    iretd
    END
    AGAIN
    BEGIN "IRET to a task that is not busy"
    mov word ptr [tss], TASK2
    push 0x4002
    popfd
    iretd
    END
    AGAIN

    PREPARE faulted
    GATE 6, TASK2
    BEGIN "#UD to a task"
    mov edx, 0x4444
    ud2
    END
    PREPARE faulted_with_code
    GATE 13, TASK2
    BEGIN "#GP to a task"
    mov eax, 0x7f8
    mov gs, eax
    END
    GATE 0x81, TASK_GATE
    PREPARE called
    BEGIN "INT to a task gate that names no TSS"
    mov eax, offset gp_stub
    mov [idt + 13 * 8], ax
    mov word ptr [idt + 13 * 8 + 2], KERNEL_CODE
    mov word ptr [idt + 13 * 8 + 4], 0x8e00
    mov word ptr [idt + 13 * 8 + 6], 0x10
    int 0x81
    END
    GATE 0x82, TASK2
    PREPARE interrupted
    BEGIN "INT to a task"
    int 0x82
    SAY " back"
    END
    PREPARE faulted_with_code
    GATE 8, TASK2
    and byte ptr [idt + 6 * 8 + 5], 0x7f
    and byte ptr [idt + 11 * 8 + 5], 0x7f
    BEGIN "a double fault"
    ud2
    END
    or byte ptr [idt + 6 * 8 + 5], 0x80
    or byte ptr [idt + 11 * 8 + 5], 0x80

    PREPARE called
    BEGIN "the LDT of a task"
    mov dword ptr [tss2 + 0x60], LDT
    mov dword ptr [tss2 + 0x58], 0x0c
    mov dword ptr [tss2 + 0x20], offset with_ldt
    lcall TASK2, 0
    sldt eax
    SHOW "ldt", eax
    END

    mov edi, offset tss16
    mov ecx, 11
    xor eax, eax
    rep stosd
    mov word ptr [tss16 + 0x10], 2
    mov word ptr [tss16 + 0x12], 0x5678
    mov word ptr [tss16 + 0x1a], 0x7000
    mov word ptr [tss16 + 0x22], KERNEL_DATA
    mov word ptr [tss16 + 0x24], CODE_AT_TASK16
    mov word ptr [tss16 + 0x26], KERNEL_DATA
    mov word ptr [tss16 + 0x28], KERNEL_DATA
    BEGIN "a TSS of 16 bits"
    mov esi, 0x9999
    lcall TASK16, 0
    SHOW "esi", esi
    SHOW "from", ebx
    END

    /* Two address spaces that differ in what one page is. */
    mov dword ptr [directory], 0x87
    mov dword ptr [directory2], 0x87
    mov eax, offset table + 7
    mov [directory + 0x100 * 4], eax
    mov eax, offset table2 + 7
    mov [directory2 + 0x100 * 4], eax
    mov dword ptr [table], FRAME + 7
    mov dword ptr [table2], FRAME + 0x1000 + 7
    mov dword ptr [FRAME], 0x1111
    mov dword ptr [FRAME + 0x1000], 0x2222
    mov eax, 0x10
    mov cr4, eax
    mov eax, offset directory
    mov cr3, eax
    mov [tss + 0x1c], eax
    PAGING_ON
    PREPARE spaced
    mov dword ptr [tss2 + 0x1c], offset directory2
    BEGIN "an address space of its own"
    mov eax, [TEST_PAGES]
    SHOW "here", eax
    lcall TASK2, 0
    mov eax, [TEST_PAGES]
    SHOW "here", eax
    END
    PAGING_OFF
    ret

jumped:
    pushfd
    SHOW "eax", eax
    SHOW "esi", esi
    pop eax
    SHOW "eflags", eax
    BUSY
    str eax
    SHOW "tr", eax
    mov eax, cr0
    and eax, 8
    SHOW "ts", eax
    movzx eax, word ptr [tss2]
    SHOW "link", eax
    SHOW "saved", [tss + 0x34]
    mov eax, [tss + 0x24]
    and eax, 0xfffff72a
    SHOW "flags", eax
    ljmp TASK, 0

called:
    pushfd
    SAY " called"
    pop eax
    SHOW "eflags", eax
    BUSY
    movzx eax, word ptr [tss2]
    SHOW "link", eax
    mov eax, [tss + 0x4c]
    SHOW "cs", eax
    mov eax, [tss + 0x3c]
    SHOW "ebp", eax
    iretd
    SAY " again"
    iretd

interrupted:
    mov eax, [tss + 0x20]
    sub eax, [probe_start]
    SHOW "eip", eax
    iretd

faulted:
    mov eax, esp
    sub eax, offset stack2_top
    SHOW "esp", eax
    mov eax, [tss + 0x20]
    sub eax, [probe_start]
    SHOW "eip", eax
    SHOW "edx", [tss + 0x30]
    mov eax, [probe_end]
    mov [tss + 0x20], eax
    iretd
faulted_with_code:
    pop eax
    SHOW "error", eax
    mov eax, [tss + 0x20]
    sub eax, [probe_start]
    SHOW "eip", eax
    mov eax, [probe_end]
    mov [tss + 0x20], eax
    iretd

with_ldt:
    mov eax, fs:[0]
    sldt ax
    movzx eax, ax
    SHOW "ldt", eax
    mov eax, fs
    SHOW "fs", eax
    iretd

spaced:
    mov eax, [TEST_PAGES]
    SHOW "there", eax
    iretd

in_task16:
    mov ebx, eax
    mov [FRAME + 0x100], eax
    iretd

    .balign 16
gp_stub:
    push 13
    jmp trap

    .bss
    .balign 4096
directory2: .skip 4096
table2: .skip 4096
tss2: .skip 128
tss16: .skip 64
    .balign 4096
    .skip 4096
stack2_top:
    .skip 16
    .balign 4096
