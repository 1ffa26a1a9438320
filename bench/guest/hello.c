/* One byte, then rest: from a machine's first instruction to the first thing that its owner sees. */
#include "work.h"

uint32_t work(void) {
  for (;;) __asm__ volatile("hlt");
}
