/* Sleeps for so many seconds of the machine's own time. */
#include <text.h>

void _start(int argc, char **argv) {
  sys_sleep(argc > 1 ? number_of_text(argv[1]) * 1000000000 : 0);
}
