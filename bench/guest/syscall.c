/* Round trips from ring 3 to ring 0 and back by int 0x80. */
#include "privileged.h"

enum { CALLS = 200000 };

uint64_t calls;
void handler(void);
__asm__("handler: incq calls(%rip); iretq");

static void program(void) {
  for (int i = 0; i < CALLS; i++) __asm__ volatile("int $0x80" : : : "memory");
  __asm__ volatile("int $0x81");
}

uint32_t work(void) {
  become_kernel();
  set_gate(0x80, handler, GATE_USER);
  set_gate(0x81, end_user, GATE_USER);
  calls = 0;
  run_user(program);
  return (uint32_t)calls;
}
