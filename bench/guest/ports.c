/* Reads of a device's register by IN: the scratch register of the first serial port. */
#include "work.h"

enum { READS = 200000 };

uint32_t work(void) {
  uint32_t sum = 0;
  __asm__ volatile("outb %0, %1" : : "a"((uint8_t)5), "Nd"((uint16_t)0x3ff));
  for (int i = 0; i < READS; i++) {
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"((uint16_t)0x3ff));
    sum += value;
  }
  return sum;
}
