/* One piece of work: the same source on the bare machine and on the host. */
#pragma once
#include <stdint.h>

/** Does the work once and returns a checksum of it. */
uint32_t work(void);
