/* Code that runs once a round: 65536 times the same seventeen instructions, each time somewhere else. */
#include "work.h"

/* In a page without code: a write next to code is a slow one. */
static _Alignas(4096) uint32_t words[1024] = {12345};

uint32_t work(void) {
  uint32_t sum = 1;
  __asm__ volatile(
      ".rept 65536\n"
      "movl (%[words]), %%eax\n"
      "leal 7(%%rax,%q[sum]), %%ecx\n"
      "xorl %%ecx, %%eax\n"
      "shrl $3, %%ecx\n"
      "addl %%ecx, %[sum]\n"
      "movl %%eax, 4(%[words])\n"
      "testb $1, %%al\n"
      "je 1f\n"
      "imull $31, %[sum], %[sum]\n"
      "subl 4(%[words]), %[sum]\n"
      "1: leaq 8(%[words]), %%rdx\n"
      "addl %%eax, (%%rdx)\n"
      "cmpl %%ecx, %%eax\n"
      "jb 2f\n"
      "pushq %%rdx\n"
      "popq %%rax\n"
      "2: movl %%ecx, (%[words])\n"
      ".endr\n"
      : [sum] "+r"(sum)
      : [words] "r"(words)
      : "rax", "rcx", "rdx", "memory", "cc");
  return sum;
}
