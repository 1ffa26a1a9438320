/* Page faults with their error codes, accessed and dirty bits, large pages, what INVLPG and a CR3 load forget. */
#include "common.S"

#define NX (1 << 63)

    .macro SHOW_PAGE index
    mov rax, [rip + test_table + \index * 8]
    and eax, 0xfff
    SHOW "entry"
    .endm

main:
    BEGIN "read of an absent page"
    mov al, [TEST_PAGES + 8]
    END
    BEGIN "write to an absent page"
    mov [TEST_PAGES + 16], al
    END
    BEGIN "fetch from an absent page"
    mov eax, TEST_PAGES
    jmp rax
    END

    SET_PAGE 1, FRAME + PRESENT
    BEGIN "read sets accessed"
    mov al, [TEST_PAGES + 4096]
    SHOW_PAGE 1
    END
    BEGIN "write to a read-only page with WP"
    mov [TEST_PAGES + 4096], al
    END
    SHOW_PAGE 1
    SAY "\n"
    BEGIN "write to a read-only page without WP sets dirty"
    mov rax, cr0
    and eax, 0xfffeffff
    mov cr0, rax
    mov byte ptr [TEST_PAGES + 4096], 0x5a
    SHOW_PAGE 1
    mov rax, cr0
    or eax, 0x10000
    mov cr0, rax
    END
    BEGIN "and with WP again the write faults"
    mov [TEST_PAGES + 4096], al
    END

    SET_PAGE 2, FRAME + PRESENT + WRITABLE
    BEGIN "a read, then a write: dirty comes with the write"
    mov al, [TEST_PAGES + 2 * 4096]
    SHOW_PAGE 2
    mov [TEST_PAGES + 2 * 4096], al
    SHOW_PAGE 2
    END
    BEGIN "two pages show one frame"
    mov byte ptr [TEST_PAGES + 2 * 4096 + 9], 0x77
    movzx eax, byte ptr [TEST_PAGES + 4096 + 9]
    SHOW "byte"
    END

    mov rax, FRAME + PRESENT + WRITABLE
    mov rcx, NX
    or rax, rcx
    mov [rip + test_table + 3 * 8], rax
    mov byte ptr [FRAME], 0xc3
    BEGIN "fetch from a no-execute page"
    mov eax, TEST_PAGES + 3 * 4096
    call rax
    END
    SET_PAGE 4, FRAME + PRESENT
    BEGIN "fetch from an executable page"
    mov eax, TEST_PAGES + 4 * 4096
    call rax
    SHOW_PAGE 4
    END

    SET_PAGE 6, FRAME + PRESENT + WRITABLE
    BEGIN "a write across into an absent page changes nothing"
    mov qword ptr [FRAME + 0xff8], 0
    mov rax, -1
    mov [TEST_PAGES + 7 * 4096 - 4], rax
    END
    SHOW "kept", [FRAME + 0xff8]
    SAY "\n"
    SET_PAGE 7, FRAME + PRESENT + WRITABLE
    BEGIN "a write across into a present page"
    mov rax, 0x1122334455667788
    mov [TEST_PAGES + 7 * 4096 - 4], rax
    SHOW "first", [FRAME + 0xff8]
    SHOW "second", [FRAME]
    END

    BEGIN "a stale translation until INVLPG"
    mov rax, FRAME + PRESENT + WRITABLE
    mov [rip + test_table + 8 * 8], rax
    mov al, [TEST_PAGES + 8 * 4096]
    mov qword ptr [rip + test_table + 8 * 8], 0
    invlpg [TEST_PAGES + 8 * 4096]
    mov al, [TEST_PAGES + 8 * 4096]
    END
    BEGIN "a CR3 load forgets"
    mov rax, FRAME + PRESENT + WRITABLE
    mov [rip + test_table + 9 * 8], rax
    mov al, [TEST_PAGES + 9 * 4096]
    mov qword ptr [rip + test_table + 9 * 8], 0
    mov rax, cr3
    mov cr3, rax
    mov al, [TEST_PAGES + 9 * 4096]
    END

    mov qword ptr [rip + test_directory + 8], LARGE + PRESENT + WRITABLE
    BEGIN "a 2 MiB page"
    mov byte ptr [FRAME + 0x123], 0x42
    movzx eax, byte ptr [TEST_PAGES + 0x200000 + FRAME + 0x123]
    SHOW "byte"
    mov rax, [rip + test_directory + 8]
    SHOW "entry"
    mov byte ptr [TEST_PAGES + 0x200000 + FRAME + 0x123], 1
    mov rax, [rip + test_directory + 8]
    SHOW "entry"
    END
    mov qword ptr [rip + pdpt + 16], LARGE + PRESENT + WRITABLE
    BEGIN "a 1 GiB page"
    mov eax, 0x80000000 + FRAME + 0x123
    movzx eax, byte ptr [rax]
    SHOW "byte"
    mov rax, [rip + pdpt + 16]
    SHOW "entry"
    END

    SET_PAGE 10, FRAME + PRESENT + WRITABLE
    SET_PAGE 11, FRAME + PRESENT + USER
    BEGIN "CPL 3 reads a supervisor page"
    ENTER_USER
    mov al, [TEST_PAGES + 10 * 4096]
    END
    BEGIN "CPL 3 writes to a supervisor page"
    ENTER_USER
    mov [TEST_PAGES + 10 * 4096], al
    END
    BEGIN "CPL 3 fetches from a supervisor page"
    ENTER_USER
    mov eax, TEST_PAGES + 10 * 4096
    jmp rax
    END
    BEGIN "CPL 3 writes to a read-only page"
    ENTER_USER
    mov al, [TEST_PAGES + 11 * 4096]
    mov [TEST_PAGES + 11 * 4096], al
    END
    BEGIN "CPL 3 reads an absent page"
    ENTER_USER
    mov al, [TEST_PAGES]
    END
    BEGIN "supervisor rights need a supervisor path: directory without W"
    and qword ptr [rip + test_directory], -3
    mov rax, cr3
    mov cr3, rax
    mov [TEST_PAGES + 10 * 4096], al
    END
    or qword ptr [rip + test_directory], 2
    BEGIN "stale code: a page is written, then run"
    mov byte ptr [FRAME], 0xb8           /* mov eax, imm32; ret */
    mov dword ptr [FRAME + 1], 1
    mov byte ptr [FRAME + 5], 0xc3
    mov ecx, TEST_PAGES + 4 * 4096
    call rcx
    SHOW "eax"
    mov dword ptr [FRAME + 1], 2
    call rcx
    SHOW "eax"
    mov dword ptr [TEST_PAGES + 6 * 4096 + 1], 3
    call rcx
    SHOW "eax"
    END
    ret
