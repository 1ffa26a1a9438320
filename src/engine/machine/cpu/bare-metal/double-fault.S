/* What happens when an exception cannot be delivered: another exception, or a double fault. SDM vol. 3, table 6-5. */
#include "common.S"

main:
    mov rax, TEST_PAGES + 0x800
    mov [rip + tss + 44], rax            /* IST2 */

    NO_STACK 6
    BEGIN "#UD, then #PF: handled serially"
    ud2
    END
    STACK_AGAIN 6
    ABSENT 13
    BEGIN "#GP, then #NP: double fault"
    mov eax, BEYOND
    mov ds, eax
    END
    PRESENT_AGAIN 13
    NO_STACK 13
    BEGIN "#GP, then #PF: handled serially"
    mov eax, BEYOND
    mov ds, eax
    END
    STACK_AGAIN 13
    ABSENT 0
    BEGIN "#DE, then #NP: double fault"
    xor ecx, ecx
    div ecx
    END
    PRESENT_AGAIN 0
    ABSENT 14
    BEGIN "#PF, then #NP: double fault"
    mov al, [TEST_PAGES]
    END
    PRESENT_AGAIN 14
    NO_STACK 14
    BEGIN "#PF, then #PF: double fault"
    mov al, [TEST_PAGES]
    END
    STACK_AGAIN 14
    mov byte ptr [rip + idt + 8 * 16 + 4], 1
    BEGIN "a stack overflow: double fault on its own stack"
    mov rsp, TEST_PAGES + 16
    push rax
    push rax
    push rax
    END
    BEGIN "a stack overflow at CPL 3 is a page fault on RSP0"
    ENTER_USER
    mov rsp, TEST_PAGES
    push rax
    END
    BEGIN "a handler's segment is data"
    mov word ptr [rip + idt + 6 * 16 + 2], KERNEL_DATA
    ud2
    END
    BEGIN "a handler's segment is absent"
    mov word ptr [rip + idt + 6 * 16 + 2], ABSENT_CODE
    ud2
    END
    BEGIN "a handler's segment is less privileged"
    mov word ptr [rip + idt + 6 * 16 + 2], USER_CODE
    ud2
    END
    BEGIN "a handler's segment is 32-bit"
    mov word ptr [rip + idt + 6 * 16 + 2], KERNEL_CODE32
    ud2
    END
    BEGIN "a handler's segment is null"
    mov word ptr [rip + idt + 6 * 16 + 2], 0
    ud2
    END
    mov word ptr [rip + idt + 6 * 16 + 2], KERNEL_CODE
    ret
