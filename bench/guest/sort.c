/* Quicksort of 64 Ki random numbers and binary searches among them: branches that nobody can predict. */
#include "work.h"

enum { COUNT = 1 << 16, SEARCHES = 1 << 16 };

static uint32_t values[COUNT];

static void sort(uint32_t *first, uint32_t *last) {
  while (last - first > 12) {
    uint32_t pivot = first[(last - first) / 2], *i = first, *j = last;
    while (i <= j) {
      while (*i < pivot) i++;
      while (*j > pivot) j--;
      if (i <= j) {
        uint32_t kept = *i;
        *i++ = *j;
        *j-- = kept;
      }
    }
    if (j - first < last - i) {
      sort(first, j);
      first = i;
    } else {
      sort(i, last);
      last = j;
    }
  }
  for (uint32_t *i = first + 1; i <= last; i++) {
    uint32_t value = *i, *j = i;
    for (; j > first && j[-1] > value; j--) *j = j[-1];
    *j = value;
  }
}

uint32_t work(void) {
  uint32_t random = 12345, sum = 0;
  for (int i = 0; i < COUNT; i++) values[i] = random = random * 1664525 + 1013904223;
  sort(values, values + COUNT - 1);
  for (int i = 0; i < SEARCHES; i++) {
    random = random * 1664525 + 1013904223;
    uint32_t low = 0, high = COUNT;
    while (low < high) {
      uint32_t middle = (low + high) / 2;
      if (values[middle] < random) low = middle + 1;
      else high = middle;
    }
    sum = sum * 31 + low;
  }
  return sum;
}
