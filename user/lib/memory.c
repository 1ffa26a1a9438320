/*
 * The four functions that a C compiler calls on its own, for example to copy a structure. With a C library they come
 * from there; a program without one gets these, and only those that it uses.
 *
 * The string instructions do the work: one MOVSB or STOSB moves the whole block.
 */
#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t length) {
  void *result = to;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(length) : : "memory");
  return result;
}

void *memset(void *to, int byte, size_t length) {
  void *result = to;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(length) : "a"(byte) : "memory");
  return result;
}

/* Blocks may overlap: when the target starts inside the source, the copy runs from the last byte to the first. */
void *memmove(void *to, const void *from, size_t length) {
  if ((size_t)((char *)to - (const char *)from) >= length) return memcpy(to, from, length);
  const char *last_from = (const char *)from + length - 1;
  char *last_to = (char *)to + length - 1;
  __asm__ volatile("std; rep movsb; cld" : "+D"(last_to), "+S"(last_from), "+c"(length) : : "memory");
  return to;
}

int memcmp(const void *a, const void *b, size_t length) {
  const unsigned char *left = a;
  const unsigned char *right = b;
  for (size_t i = 0; i < length; i++)
    if (left[i] != right[i]) return left[i] - right[i];
  return 0;
}
