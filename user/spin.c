/*
 * Never ends, and never gives the processor back by itself. The timer interrupt takes it away all the same: that is what
 * makes a scheduler preemptive. Stop it from outside.
 */
#include <atoll.h>

void _start(void) {
  static const char notice[] = "Spinning for ever.";
  sys_log(notice, sizeof notice - 1);
  for (volatile uint64_t turns = 0;; turns++) {
  }
}
