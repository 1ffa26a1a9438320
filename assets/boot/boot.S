/*
 * Atoll's boot stub and trap entries: everything of the kernel that must be instructions.
 *
 * A Multiboot 1 loader leaves the processor in 32-bit protected mode without paging (Multiboot 0.6.96, 3.2). From there:
 * own page tables (identity and higher half), long mode, then the kernel gate. The kernel itself is TypeScript behind the
 * gate (VMCALL at CPL 0); src/engine/kernel/arch/gate.ts has the other half of every number and offset in this file.
 *
 *   0xffffffff80100000  image, physical 0x100000: text r-x | rodata r-- | data and bss rw-
 *   0x0000000000001000 .. 0x00007fffffffefff  user space
 */

.set KERNEL_BASE, 0xffffffff80000000

.set MULTIBOOT_HEADER_MAGIC, 0x1badb002
.set MULTIBOOT_BOOTLOADER_MAGIC, 0x2badb002
.set MULTIBOOT_FLAGS, 0x00010003        /* modules page-aligned, memory map wanted, address fields valid */

.set GATE_BOOT, 1                       /* memory is there: build descriptor tables and page tables */
.set GATE_START, 2                      /* they are loaded: mount, start the first process */
.set GATE_TRAP, 3                       /* interrupt, exception or system call; RDI = trap frame */

.set KERNEL_CS, 0x08
.set KERNEL_SS, 0x10
.set USER_SS, 0x20 | 3
.set USER_CS, 0x28 | 3
.set TSS_SELECTOR, 0x30
.set SYSRET_BASE, 0x18 | 3              /* SYSRET: SS = base + 8, CS = base + 16 */

.set TRAP_FRAME_BYTES, 176
.set FRAME_VECTOR, 120
.set VECTOR_SYSCALL, 0x100              /* beyond every vector: "came by SYSCALL, may leave by SYSRET" */

.set CR0_MP, 1 << 1
.set CR0_NE, 1 << 5
.set CR0_WP, 1 << 16
.set CR0_PG, 1 << 31
.set CR4_PAE, 1 << 5
.set CR4_OSFXSR, 1 << 9
.set CR4_OSXMMEXCPT, 1 << 10
.set MSR_EFER, 0xc0000080
.set EFER_SCE, 1 << 0
.set EFER_LME, 1 << 8
.set EFER_NXE, 1 << 11
.set MSR_STAR, 0xc0000081
.set MSR_LSTAR, 0xc0000082
.set MSR_FMASK, 0xc0000084
.set MSR_KERNEL_GS_BASE, 0xc0000102
.set SYSCALL_RFLAGS_MASK, 0x47700       /* AC NT IOPL DF IF TF are cleared on entry */

/* ------------------------------------------------------------------------------------------------ 32-bit entry */

.section .multiboot, "ax"
.balign 4
multiboot_header:
  .long MULTIBOOT_HEADER_MAGIC
  .long MULTIBOOT_FLAGS
  .long -(MULTIBOOT_HEADER_MAGIC + MULTIBOOT_FLAGS)
  .long multiboot_header - KERNEL_BASE  /* header_addr */
  .long image_start - KERNEL_BASE       /* load_addr */
  .long image_data_end - KERNEL_BASE    /* load_end_addr */
  .long image_end - KERNEL_BASE         /* bss_end_addr */
  .long _start - KERNEL_BASE            /* entry_addr */

.code32
.globl _start
.type _start, @function
_start:
  cli
  cld
  mov %ebx, %ebp                        /* Multiboot information; CPUID wants EBX */
  cmp $MULTIBOOT_BOOTLOADER_MAGIC, %eax
  jne refuse
  mov $0x80000000, %eax
  cpuid
  cmp $0x80000001, %eax
  jb refuse
  mov $0x80000001, %eax
  cpuid
  test $(1 << 29), %edx                 /* LM: long mode */
  jz refuse

  /* One 2 MiB page, seen at 0 and at KERNEL_BASE; the kernel replaces these tables at GATE_BOOT. */
  movl $(boot_pdpt - KERNEL_BASE + 3), boot_pml4 - KERNEL_BASE
  movl $(boot_pdpt - KERNEL_BASE + 3), boot_pml4 - KERNEL_BASE + 511 * 8
  movl $(boot_pd - KERNEL_BASE + 3), boot_pdpt - KERNEL_BASE
  movl $(boot_pd - KERNEL_BASE + 3), boot_pdpt - KERNEL_BASE + 510 * 8
  movl $0x83, boot_pd - KERNEL_BASE

  mov $(CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT), %eax
  mov %eax, %cr4
  mov $(boot_pml4 - KERNEL_BASE), %eax
  mov %eax, %cr3
  mov $MSR_EFER, %ecx
  rdmsr
  or $(EFER_SCE | EFER_LME | EFER_NXE), %eax
  wrmsr
  mov %cr0, %eax
  and $~(1 << 2), %eax                  /* EM: SSE is there */
  or $(CR0_MP | CR0_NE | CR0_WP | CR0_PG), %eax
  mov %eax, %cr0

  lgdt boot_gdtr - KERNEL_BASE
  ljmp $KERNEL_CS, $(long_mode_low - KERNEL_BASE)

/* Not loaded by Multiboot, or no 64-bit processor: nothing to be done about either. */
refuse:
  cli
  hlt
  jmp refuse
.size _start, . - _start

/* ------------------------------------------------------------------------------------------------- 64-bit boot */

.code64
.type long_mode_low, @function
long_mode_low:
  movabs $long_mode, %rax
  jmp *%rax
.size long_mode_low, . - long_mode_low

.text
.type long_mode, @function
long_mode:
  mov $KERNEL_SS, %eax
  mov %eax, %ss
  mov $kernel_stack_top, %rsp
  mov %ebp, %esi                        /* RSI = physical address of the Multiboot information */
  xor %ebp, %ebp                        /* backtraces end here */
  mov $boot_info, %rdi
  mov $GATE_BOOT, %eax
  vmcall                                /* RAX = physical address of the kernel's PML4 */

  mov %rax, %cr3
  lgdt kernel_gdtr(%rip)
  push $KERNEL_CS
  lea 1f(%rip), %rax
  push %rax
  lretq
1:
  mov $KERNEL_SS, %eax
  mov %eax, %ss
  xor %eax, %eax
  mov %eax, %ds
  mov %eax, %es
  mov %eax, %fs
  mov %eax, %gs
  lidt kernel_idtr(%rip)
  mov $TSS_SELECTOR, %eax
  ltr %ax

  mov $MSR_STAR, %ecx
  xor %eax, %eax
  mov $(SYSRET_BASE << 16 | KERNEL_CS), %edx
  wrmsr
  mov $MSR_LSTAR, %ecx
  mov $syscall_entry, %rax
  mov %rax, %rdx
  shr $32, %rdx
  wrmsr
  mov $MSR_FMASK, %ecx
  mov $SYSCALL_RFLAGS_MASK, %eax
  xor %edx, %edx
  wrmsr
  mov $MSR_KERNEL_GS_BASE, %ecx
  mov $cpu_local, %rax
  mov %rax, %rdx
  shr $32, %rdx
  wrmsr
  ldmxcsr initial_mxcsr(%rip)

  sub $TRAP_FRAME_BYTES, %rsp           /* the first process's registers go here */
  mov %rsp, %rdi
  mov $GATE_START, %eax
  vmcall
  jmp trap_return
.size long_mode, . - long_mode

/* Nothing is runnable: wait for an interrupt. The kernel enters here with interrupts off and an empty idle stack. */
.globl idle
.type idle, @function
idle:
  sti
  hlt
  jmp idle
.size idle, . - idle

/* ------------------------------------------------------------------------------------------------------- traps */

/*
 * Trap frame, from RSP up:
 *   0 r15 | 8 r14 | 16 r13 | 24 r12 | 32 r11 | 40 r10 | 48 r9 | 56 r8 | 64 rbp | 72 rdi | 80 rsi | 88 rdx | 96 rcx |
 *   104 rbx | 112 rax | 120 vector | 128 error code | 136 rip | 144 cs | 152 rflags | 160 rsp | 168 ss
 */
.macro PUSH_REGISTERS
  push %rax
  push %rbx
  push %rcx
  push %rdx
  push %rsi
  push %rdi
  push %rbp
  push %r8
  push %r9
  push %r10
  push %r11
  push %r12
  push %r13
  push %r14
  push %r15
.endm

.macro POP_REGISTERS
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %r11
  pop %r10
  pop %r9
  pop %r8
  pop %rbp
  pop %rdi
  pop %rsi
  pop %rdx
  pop %rcx
  pop %rbx
  pop %rax
.endm

.type trap_common, @function
trap_common:
  PUSH_REGISTERS
  cld
  mov %rsp, %rdi
  mov $GATE_TRAP, %eax
  vmcall
trap_return:
  POP_REGISTERS
  add $16, %rsp                         /* vector, error code */
  iretq
.size trap_common, . - trap_common

/* SYSCALL: RCX = return address, R11 = RFLAGS, interrupts off, the stack still the program's. */
.type syscall_entry, @function
syscall_entry:
  swapgs
  mov %rsp, %gs:0
  mov %gs:8, %rsp
  push $USER_SS
  push %gs:0
  swapgs
  push %r11
  push $USER_CS
  push %rcx
  push $0
  push $VECTOR_SYSCALL
  PUSH_REGISTERS
  mov %rsp, %rdi
  mov $GATE_TRAP, %eax
  vmcall
  cmpq $VECTOR_SYSCALL, FRAME_VECTOR(%rsp)
  jne trap_return                       /* another process, or one that did not come by SYSCALL */
  POP_REGISTERS
  mov 40(%rsp), %rsp
  sysretq
.size syscall_entry, . - syscall_entry

/* One entry of 16 bytes for each vector. The processor pushes an error code for some; the others push a zero. */
.balign 16
.type trap_entries, @function
trap_entries:
.set vector, 0
.rept 256
  .balign 16
  .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
  push $0
  .endif
  push $vector
  jmp trap_common
  .set vector, vector + 1
.endr
.size trap_entries, . - trap_entries

/* -------------------------------------------------------------------------------------------------------- data */

.section .rodata, "a"
.balign 8
/* What the kernel must know of this image; BootInfo in arch/gate.ts. Virtual addresses. */
boot_info:
  .quad 0x746f6f626c6f7461              /* "atolboot" */
  .quad image_start
  .quad image_text_end
  .quad image_rodata_end
  .quad image_end
  .quad gdt
  .quad idt
  .quad tss
  .quad trap_entries
  .quad kernel_stack_top
  .quad fault_stack_top
  .quad idle
  .quad idle_stack_top
  .quad boot_pml4                       /* guard pages once the kernel has its own tables */
  .quad boot_pdpt
  .quad boot_pd

boot_gdt:
  .quad 0
  .quad 0x00af9b000000ffff              /* KERNEL_CS: 64-bit code */
  .quad 0x00cf93000000ffff              /* KERNEL_SS: data */
boot_gdtr:
  .word . - boot_gdt - 1
  .long boot_gdt - KERNEL_BASE

.balign 8
  .word 0, 0, 0
kernel_gdtr:
  .word gdt_end - gdt - 1
  .quad gdt
.balign 8
  .word 0, 0, 0
kernel_idtr:
  .word idt_end - idt - 1
  .quad idt
initial_mxcsr:
  .long 0x1f80                          /* all exceptions masked, round to nearest */

.data
.balign 16
/* Reached by GS after SWAPGS: scratch for the program's RSP, then the kernel stack. */
cpu_local:
  .quad 0
  .quad kernel_stack_top

.bss
.balign 4096
idt:
  .skip 256 * 16
idt_end:
/* Each boot table lies below a stack; unmapped later, it is that stack's guard page. */
boot_pml4:
  .skip 4096
kernel_stack:
  .skip 4096
kernel_stack_top:
boot_pdpt:
  .skip 4096
fault_stack:                            /* IST 1: double fault, NMI, machine check */
  .skip 4096
fault_stack_top:
boot_pd:
  .skip 4096
idle_stack:
  .skip 4096
idle_stack_top:
gdt:
  .skip 8 * 8
gdt_end:
.balign 16
tss:
  .skip 104
