/* A list of 16 Ki links in random order, followed round and round: one load after the other. */
#include "work.h"

enum { LINKS = 1 << 14, STEPS = 1 << 21 };

struct link {
  struct link *next;
  uint64_t value;
};
static struct link links[LINKS];
static uint32_t order[LINKS];

uint32_t work(void) {
  uint32_t random = 1;
  for (uint32_t i = 0; i < LINKS; i++) order[i] = i;
  for (uint32_t i = LINKS - 1; i > 0; i--) {
    random = random * 1664525 + 1013904223;
    uint32_t j = (random >> 8) % (i + 1), kept = order[i];
    order[i] = order[j];
    order[j] = kept;
  }
  for (uint32_t i = 0; i < LINKS; i++) links[order[i]] = (struct link){&links[order[(i + 1) % LINKS]], i};
  uint64_t sum = 0;
  const struct link *at = links;
  for (uint32_t step = 0; step < STEPS; step++) sum += at->value, at = at->next;
  return (uint32_t)(sum ^ sum >> 32);
}
