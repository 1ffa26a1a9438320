/* What `tick.c` computes, undisturbed. */
#define TICKS 0
#include "tick.c"
