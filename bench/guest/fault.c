/* Page faults: a page that is not there is touched, the handler maps it, and it is taken away again. */
#include "privileged.h"

enum { FAULTS = 50000 };

static uint64_t entries[512] __attribute__((aligned(4096)));
static uint8_t page[4096] __attribute__((aligned(4096)));
uint64_t *leaf = &entries[5], mapped;
uint64_t faults;
void handler(void);
__asm__(
    "handler: push %rax; push %rcx; incq faults(%rip); mov leaf(%rip), %rax; mov mapped(%rip), %rcx; mov %rcx, (%rax)\n"
    "pop %rcx; pop %rax; add $8, %rsp; iretq");

uint32_t work(void) {
  become_kernel();
  set_gate(14, handler, GATE_KERNEL);
  uint64_t *top = top_table(), *middle = (uint64_t *)(top[0] & ~0xfffull), *low = (uint64_t *)(middle[0] & ~0xfffull);
  /* The last 2 MiB of the first GiB hold nothing: there small pages are used. */
  low[511] = (uint64_t)entries | PRESENT | WRITABLE;
  mapped = (uint64_t)page | PRESENT | WRITABLE;
  volatile uint32_t *touched = (uint32_t *)(511ull << 21 | 5 << 12);
  faults = 0;
  for (int i = 0; i < FAULTS; i++) {
    *leaf = 0;
    __asm__ volatile("invlpg %0" : : "m"(*touched) : "memory");
    *touched = (uint32_t)i;
  }
  return (uint32_t)faults;
}
