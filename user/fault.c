/*
 * Writes through a null pointer. Page 0 is never mapped, so the processor raises a page fault, and the kernel ends the
 * process with a message that names the address, the instruction and the line below. The machine lives on.
 */
#include <atoll.h>

static void store(int *target, int value) {
  *target = value; /* this one */
}

void _start(void) {
  static const char notice[] = "About to write to address 0.";
  sys_log(notice, sizeof notice - 1);
  store(NULL, 42);
  sys_exit(0); /* never reached */
}
