/*
 * 32-bit protected mode: gates, privilege and stack switches through a 32-bit TSS, call gates with parameters, segments
 * with bases, an LDT, 32-bit paging with and without PSE, PAE.
 */
#include "common32.S"

main:
    BEGIN "#DE"
    xor ecx, ecx
    div ecx
    END
    BEGIN "#BP"
    int3
    END
    BEGIN "#OF by INTO"
    mov al, 0x7f
    inc al
    into
    END
    BEGIN "INTO without overflow"
    xor eax, eax
    into
    END
    BEGIN "#BR"
    mov eax, 5
    bound eax, [bounds]
    END
    BEGIN "BOUND within"
    mov eax, 3
    bound eax, [bounds]
    END
    BEGIN "#UD"
    ud2
    END
    BEGIN "#UD by SYSRET outside 64-bit mode"
    sysret
    END
    BEGIN "#NP by a gate's absent code segment"
    mov word ptr [idt + 6 * 8 + 2], ABSENT_CODE
    ud2
    END
    mov word ptr [idt + 6 * 8 + 2], KERNEL_CODE
    BEGIN "#GP by a selector beyond the GDT"
    mov eax, BEYOND
    mov gs, eax
    END
    BEGIN "#GP by null in SS"
    xor eax, eax
    mov ss, eax
    END
    BEGIN "null in FS is fine until it is used"
    xor eax, eax
    mov fs, eax
    mov eax, fs
    SHOW "fs"
    END

    BEGIN "a segment with a base"
    mov dword ptr [FRAME + 0x1234], 0xcafe1234
    mov eax, BASED_DATA
    mov fs, eax
    mov eax, fs:[0x234]
    SHOW "value"
    push es
    mov es, [based_selector]
    mov edi, 0x300
    mov eax, 0x31
    mov ecx, 4
    rep stosb
    pop es
    SHOW "stored", [FRAME + 0x1300]
    mov ax, KERNEL_DATA
    mov fs, ax
    END
    BEGIN "a data segment with a base in DS"
    mov ecx, BASED_DATA
    mov ds, ecx
    mov dword ptr [0x40], 0x5a5a
    mov eax, [0x40]
    mov ecx, KERNEL_DATA
    mov ds, ecx
    SHOW "value"
    SHOW "at", [FRAME + 0x1040]
    END
    BEGIN "an LDT"
    mov eax, LDT
    lldt ax
    mov eax, 0x0c
    mov fs, eax
    mov eax, fs:[0x30]
    SHOW "value"
    sldt ax
    movzx eax, ax
    SHOW "sldt"
    END
    BEGIN "#GP beyond the LDT"
    mov eax, 0x14
    mov fs, eax
    END
    mov eax, KERNEL_DATA
    mov fs, eax
    BEGIN "PUSH and POP of segments"
    push fs
    push ds
    pop gs
    pop es
    mov eax, gs
    SHOW "gs"
    END
    BEGIN "LDS, LSS"
    lss esp, [stack_pointer]
    SHOW "top", [esp]
    mov esp, [probe_sp]
    END
    BEGIN "SGDT, SIDT, STR and SMSW to memory"
    sgdt [scratch]
    movzx eax, word ptr [scratch]
    SHOW "limit"
    sidt [scratch]
    mov eax, [scratch + 2]
    sub eax, offset idt
    SHOW "base"
    mov dword ptr [scratch], -1
    str word ptr [scratch]
    SHOW "str", [scratch]
    mov dword ptr [scratch], -1
    sldt word ptr [scratch]
    SHOW "sldt", [scratch]
    mov dword ptr [scratch], -1
    smsw word ptr [scratch]
    SHOW "smsw", [scratch]
    mov word ptr [scratch], KERNEL_DATA
    mov fs, [scratch]
    mov dword ptr [scratch], -1
    mov [scratch], fs
    SHOW "mov", [scratch]
    END
    BEGIN "far CALL to memory and direct, and RETF"
    call fword ptr [far_pointer]
    lcall KERNEL_CODE, offset based_target
    END
    BEGIN "far JMP through a call gate"
    ljmp JUMP_GATE, 0
    END
    BEGIN "16-bit operands: PUSHF, POPF, IRET"
    pushfw
    pop ax
    mov ax, 0x402
    push ax
    popfw
    pushfd
    pop eax
    cld
    and eax, 0xf72a
    SHOW "eflags"
    END

    REFUSED "HLT", hlt
    REFUSED "IN", in al, 0x80
    REFUSED "CLI", cli
    REFUSED "MOV CR0", mov eax, cr0
    REFUSED "INT 0x80", nop
    BEGIN "kernel data in DS"
    ENTER_USER
    mov eax, KERNEL_DATA
    mov ds, eax
    int 0x80
    END
    BEGIN "DS and FS of the kernel are null at CPL 3"
    mov eax, KERNEL_DATA
    mov ds, eax
    mov eax, USER_DATA + 3
    mov fs, eax
    ENTER_USER
    int 0x80
    END
    mov eax, KERNEL_DATA
    mov fs, eax
    BEGIN "a call gate with two parameters"
    ENTER_USER
    push 0x22
    push 0x11
    lcall CALL_GATE + 3, 0
    int 0x80
    END
    BEGIN "#GP by a call gate of DPL 0"
    and byte ptr [gdt + CALL_GATE + 5], 0x9f
    ENTER_USER
    lcall CALL_GATE + 3, 0
    END
    BEGIN "conforming code keeps CPL 3"
    ENTER_USER
    ljmp CONFORMING + 3, offset conforming
conforming:
    nop
    int 0x80
    END
    BEGIN "#GP by IRETD inwards"
    ENTER_USER
    push 2
    push KERNEL_CODE
    push 0
    iretd
    END
    BEGIN "POPFD at CPL 3"
    ENTER_USER
    push 0x243602
    popfd
    int 0x80
    END
    /* 32-bit paging: low 4 MiB by a large page, 1 GiB on by a table. */
    mov dword ptr [directory], 0x87
    mov eax, offset table + 7
    mov [directory + 0x100 * 4], eax
    mov dword ptr [table + 4], FRAME + 1
    mov dword ptr [table + 8], FRAME + 7
    mov eax, 0x10
    mov cr4, eax
    mov eax, offset directory
    mov cr3, eax
    PAGING_ON
    BEGIN "absent page"
    mov al, [TEST_PAGES + 3]
    END
    BEGIN "write to a read-only page"
    mov [TEST_PAGES + 0x1004], al
    END
    BEGIN "accessed and dirty"
    mov al, [TEST_PAGES + 0x2000]
    mov eax, [table + 8]
    and eax, 0xfff
    SHOW "entry"
    mov [TEST_PAGES + 0x2000], al
    mov eax, [table + 8]
    and eax, 0xfff
    SHOW "entry"
    mov eax, [directory]
    SHOW "directory"
    END
    BEGIN "CPL 3 writes to a supervisor page"
    and dword ptr [table + 8], -5
    invlpg [TEST_PAGES + 0x2000]
    ENTER_USER
    mov eax, USER_DATA + 3
    mov ds, eax
    mov [TEST_PAGES + 0x2000], al
    END
    BEGIN "CPL 3 executes an absent page: no I/D without NX"
    ENTER_USER
    mov eax, TEST_PAGES
    jmp eax
    END
    BEGIN "an access across into an absent page"
    mov eax, [TEST_PAGES + 0x2ffe]
    END
    PAGING_OFF

    /* PAE. */
    mov eax, offset pae_directory + 1
    mov [pointers], eax
    mov eax, offset pae_directory + 4096 + 1
    mov [pointers + 8], eax
    mov dword ptr [pae_directory], 0x87
    mov eax, offset pae_table + 7
    mov [pae_directory + 4096], eax
    mov dword ptr [pae_table + 8], FRAME + 3
    mov dword ptr [pae_table + 12], 0x80000000
    mov byte ptr [FRAME], 0xc3
    mov ecx, 0xc0000080
    rdmsr
    or eax, 0x800
    wrmsr
    mov eax, 0x20
    mov cr4, eax
    mov eax, offset pointers
    mov cr3, eax
    PAGING_ON
    BEGIN "PAE: absent page"
    mov [TEST_PAGES + 8], al
    END
    BEGIN "PAE: accessed and dirty"
    mov [TEST_PAGES + 0x1000], al
    mov eax, [pae_table + 8]
    and eax, 0xfff
    SHOW "entry"
    END
    BEGIN "PAE: fetch from a no-execute page"
    mov eax, TEST_PAGES + 0x1000
    call eax
    END
    BEGIN "PAE: absent pointer"
    mov eax, [0xc0000000]
    END
    PAGING_OFF
    ret
