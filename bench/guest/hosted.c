/* The same rounds as a program of the host: static, and no library, so that nothing but the work is measured. Linux on x86-64. */
#include "work.h"

static long put(const void *bytes, long length) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(1), "D"(1), "S"(bytes), "d"(length) : "rcx", "r11", "memory");
  return result;
}

__attribute__((force_align_arg_pointer)) void _start(void) {
  while (put("S", 1) == 1) {
    uint32_t sum = work();
    char line[10] = "E";
    for (int i = 0; i < 8; i++) line[1 + i] = "0123456789abcdef"[sum >> (28 - 4 * i) & 15];
    line[9] = '\n';
    if (put(line, sizeof line) < 0) break;
  }
  __asm__ volatile("syscall" : : "a"(60), "D"(0));
  __builtin_unreachable();
}
