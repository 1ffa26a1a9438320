/* Powers modulo a prime and greatest common divisors: multiplications of 64 by 64 bits and divisions. */
#include "work.h"

static __attribute__((noinline)) uint64_t power(uint64_t base, uint64_t exponent, uint64_t modulus) {
  uint64_t result = 1;
  for (base %= modulus; exponent > 0; exponent >>= 1) {
    if (exponent & 1) result = result * base % modulus;
    base = base * base % modulus;
  }
  return result;
}

static uint64_t mix(uint64_t x) {
  unsigned __int128 product = (unsigned __int128)x * 0xe7037ed1a0b428dbu;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint32_t work(void) {
  uint64_t sum = 0;
  for (uint64_t i = 1; i <= 40000; i++) sum += power(i * 0x9e3779b9, 0xfffffffa, 0xfffffffb);
  for (uint64_t i = 1; i <= 1000000; i++) sum = mix(sum + i);
  for (uint64_t i = 1; i <= 20000; i++) {
    uint64_t a = mix(i) | 1, b = mix(~i);
    while (b) {
      uint64_t rest = a % b;
      a = b;
      b = rest;
    }
    sum += a;
  }
  return (uint32_t)(sum ^ sum >> 32);
}
