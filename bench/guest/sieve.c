/* The sieve of Eratosthenes over 1 MiB: stores with growing strides. */
#include "work.h"

enum { LIMIT = 1 << 20, PASSES = 3 };

static uint8_t composite[LIMIT];

uint32_t work(void) {
  uint32_t sum = 0;
  for (int pass = 0; pass < PASSES; pass++) {
    for (uint32_t i = 0; i < LIMIT; i++) composite[i] = 0;
    for (uint32_t i = 2; i * i < LIMIT; i++)
      if (!composite[i])
        for (uint32_t j = i * i; j < LIMIT; j += i) composite[j] = 1;
    for (uint32_t i = 2; i < LIMIT; i++)
      if (!composite[i]) sum = sum * 31 + i;
  }
  return sum;
}
