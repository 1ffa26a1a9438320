/* An IDT of nothing: #UD, then #GP, then no double fault handler. Nothing after it runs. */
#include "common.S"

main:
    SAY "before\n"
    lidt [rip + nothing]
    ud2
    SAY "after\n"
    ret

    .section .data
nothing:
    .short 0
    .quad 0
