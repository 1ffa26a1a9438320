/*
 * The smallest program: one system call that writes to the machine's log, one that ends the process.
 *
 * It has no C library under it. The kernel enters it in ring 3, and all it can do is ask: each sys_ function puts a
 * number and arguments into registers and executes int 0x80.
 */
#include <atoll.h>

static const char greeting[] = "Hello from ring-3!";

void _start(void) {
  sys_log(greeting, sizeof greeting - 1);
  sys_exit(0);
}
