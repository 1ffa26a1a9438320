# Where a C program that defines _start begins.
#
# The kernel enters a program with the System V stack: argc at (%rsp), argv above it, %rsp a multiple of 16. A C function
# expects its arguments in registers and the stack as a CALL leaves it, so this stands between the two. A program in
# assembly, or one whose _start is naked, is entered directly.

        .section .text.atoll_start, "ax", @progbits
        .globl  atoll_start
        .type   atoll_start, @function
atoll_start:
        xorl    %ebp, %ebp              # the outermost frame: backtraces end here
        movl    (%rsp), %edi            # argc
        leaq    8(%rsp), %rsi           # argv
        leaq    16(%rsp,%rdi,8), %rdx   # envp: behind argv and its null pointer
        call    _start
        movl    $1, %eax                # SYS_EXIT, should _start return
        xorl    %edi, %edi
        int     $0x80
        ud2
        .size   atoll_start, . - atoll_start

        .section .note.GNU-stack, "", @progbits
