/*
 * The same rounds as a program of the host, with no library, so that nothing but the work is measured. Linux on x86-64. Behind the
 * checksum stands how many nanoseconds the work took: it is over sooner than a reader at the end of a pipe can tell.
 */
#include "work.h"

static long put(const void *bytes, long length) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(1), "D"(1), "S"(bytes), "d"(length) : "rcx", "r11", "memory");
  return result;
}

static uint64_t now(void) {
  enum { CLOCK_GETTIME = 228, MONOTONIC = 1 };
  uint64_t time[2], result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(CLOCK_GETTIME), "D"(MONOTONIC), "S"(time) : "rcx", "r11", "memory");
  return time[0] * 1000000000 + time[1];
}

static void hexadecimal(char *to, uint32_t value) {
  for (int i = 0; i < 8; i++) to[i] = "0123456789abcdef"[value >> (28 - 4 * i) & 15];
}

__attribute__((force_align_arg_pointer)) void _start(void) {
  while (put("S", 1) == 1) {
    uint64_t start = now();
    uint32_t sum = work();
    uint64_t end = now();
    char line[19] = "E........ ........";
    hexadecimal(line + 1, sum);
    hexadecimal(line + 10, (uint32_t)(end - start));
    line[18] = '\n';
    if (put(line, sizeof line) < 0) break;
  }
  __asm__ volatile("syscall" : : "a"(60), "D"(0));
  __builtin_unreachable();
}
