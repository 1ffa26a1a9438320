/* Blocks of memory filled, copied and summed: wide loads and stores over 512 KiB. */
#include "work.h"

enum { WORDS = 1 << 16, PASSES = 120 };

static uint64_t from[WORDS], to[WORDS];

uint32_t work(void) {
  uint64_t sum = 0;
  for (uint64_t i = 0; i < WORDS; i++) from[i] = i * 0x9e3779b97f4a7c15u;
  for (uint64_t pass = 0; pass < PASSES; pass++) {
    for (int i = 0; i < WORDS; i++) to[i] = from[i] ^ pass;
    for (int i = 0; i < WORDS; i++) sum += to[i];
    for (int i = 0; i < WORDS; i++) from[i] = to[i] + sum;
  }
  return (uint32_t)(sum ^ sum >> 32);
}
