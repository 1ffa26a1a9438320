/* Fails. */
#include <atoll.h>

void _start(void) {
  sys_exit(1);
}
