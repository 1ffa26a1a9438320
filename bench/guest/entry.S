/*
 * A machine's shortest way from a Multiboot loader into 64-bit C: no operating system, so that what is measured is the
 * processor. The same flat image runs on Atoll's machine and on QEMU; the address fields of the header make it one.
 */
        .set    MAGIC, 0x1badb002
        .set    FLAGS, 0x00010000               /* the address fields below are valid */

        .section .multiboot, "a"
        .balign 4
header: .long   MAGIC
        .long   FLAGS
        .long   -(MAGIC + FLAGS)
        .long   header                          /* header_addr */
        .long   image_start                     /* load_addr */
        .long   image_end                       /* load_end_addr */
        .long   bss_end                         /* bss_end_addr */
        .long   entry                           /* entry_addr */

        .section .text.entry, "ax"
        .code32
        .globl  entry
entry:  mov     $stack_top, %esp

        /* 1 GiB identity mapping in 2 MiB pages */
        movl    $pdpt + 3, pml4
        movl    $pd + 3, pdpt
        mov     $pd, %edi
        mov     $0x83, %eax                     /* present, writable, 2 MiB */
        mov     $512, %ecx
1:      mov     %eax, (%edi)
        movl    $0, 4(%edi)
        add     $0x200000, %eax
        add     $8, %edi
        dec     %ecx
        jnz     1b

        mov     $pml4, %eax
        mov     %eax, %cr3
        mov     %cr4, %eax
        or      $0x620, %eax                    /* PAE, OSFXSR, OSXMMEXCPT */
        mov     %eax, %cr4
        mov     $0xc0000080, %ecx               /* EFER */
        rdmsr
        or      $0x100, %eax                    /* LME */
        wrmsr
        mov     %cr0, %eax
        and     $~4, %eax                       /* EM off */
        or      $0x80000002, %eax               /* PG, MP */
        mov     %eax, %cr0
        lgdt    gdt_pointer
        ljmp    $8, $long_mode

        .code64
long_mode:
        mov     $16, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        mov     $stack_top, %rsp
        call    guest_main
1:      hlt
        jmp     1b

        .section .rodata
        .balign 8
gdt:    .quad   0
        .quad   0x00af9b000000ffff              /* 64-bit code */
        .quad   0x00cf93000000ffff              /* data */
gdt_pointer:
        .word   . - gdt - 1
        .long   gdt

        .section .bss, "aw", @nobits
        .balign 4096
pml4:   .skip   4096
pdpt:   .skip   4096
pd:     .skip   4096
        .skip   65536
stack_top:
