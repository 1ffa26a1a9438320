/* Texts measured, compared and copied byte by byte, as C does it, and with the processor's string instructions. */
#include "work.h"

enum { LINES = 2048, LENGTH = 96, PASSES = 30 };

static char text[LINES][LENGTH], copy[LINES][LENGTH];

static __attribute__((noinline)) uint32_t length(const char *s) {
  const char *end = s;
  while (*end) end++;
  return (uint32_t)(end - s);
}

static __attribute__((noinline)) int compare(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return (unsigned char)*a - (unsigned char)*b;
}

static void move(void *to, const void *from, uint64_t bytes) { __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory"); }

static void fill(void *to, uint8_t byte, uint64_t bytes) { __asm__ volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(byte) : "memory"); }

uint32_t work(void) {
  uint32_t sum = 0;
  for (int i = 0; i < LINES; i++) {
    int letters = 20 + i * 37 % (LENGTH - 24);
    for (int j = 0; j < letters; j++) text[i][j] = (char)('a' + (j < letters - 3 ? j % 26 : (i + j) % 26));
    text[i][letters] = 0;
  }
  for (int pass = 0; pass < PASSES; pass++) {
    fill(copy, (uint8_t)pass, sizeof copy);
    for (int i = 0; i < LINES; i++) move(copy[i], text[LINES - 1 - i], length(text[LINES - 1 - i]) + 1);
    for (int i = 1; i < LINES; i++) sum = sum * 31 + (uint32_t)compare(text[i], copy[i - 1]) + length(copy[i]);
  }
  return sum;
}
