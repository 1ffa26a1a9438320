/* A computation that a timer interrupts ten times as often as kernels have it; `quiet.c` is the same without. */
#include "privileged.h"

#ifndef TICKS
#define TICKS 1
#endif

enum { STEPS = 20000000, PIC_MASTER = 0x20, PIC_SLAVE = 0xa0, PIT = 0x40, DIVISOR = 119 /* 10,027 Hz */ };

uint64_t ticks;
void handler(void);
__asm__("handler: push %rax; incq ticks(%rip); mov $0x20, %al; outb %al, $0x20; pop %rax; iretq");

static void put_port(uint16_t port, uint8_t value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }

static void start(void) {
  static const uint8_t command[] = {0x11, 0x20, 4, 1}, slave[] = {0x11, 0x28, 2, 1};
  for (int i = 0; i < 4; i++) put_port(PIC_MASTER + (i > 0), command[i]), put_port(PIC_SLAVE + (i > 0), slave[i]);
  put_port(PIC_SLAVE + 1, 0xff);
  put_port(PIC_MASTER + 1, 0xfe);
  put_port(PIT + 3, 0x34);
  put_port(PIT, DIVISOR & 0xff);
  put_port(PIT, DIVISOR >> 8);
  __asm__ volatile("sti");
}

uint32_t work(void) {
  become_kernel();
  set_gate(0x20, handler, GATE_KERNEL);
  if (TICKS) start();
  uint64_t x = 88172645463325252;
  for (int i = 0; i < STEPS; i++) x ^= x << 13, x ^= x >> 7, x ^= x << 17;
  __asm__ volatile("cli");
  return (uint32_t)x;
}
