/* A tree walked by recursion: calls, returns and a stack that stays warm. */
#include "work.h"

static __attribute__((noinline)) uint32_t walk(uint32_t depth, uint32_t value) {
  if (depth == 0) return value * 2654435761u ^ value >> 7;
  return walk(depth - 1, value * 3 + 1) + walk(depth - 1, value * 5 + 2);
}

uint32_t work(void) {
  uint32_t sum = 0;
  for (uint32_t seed = 1; seed <= 24; seed++) sum ^= walk(17, seed);
  return sum;
}
