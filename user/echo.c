/*
 * Reads lines from the console and writes them back, until the end of the input (Ctrl-D on an empty line).
 *
 * While it waits for you to type, the process sleeps: the kernel gives the processor to somebody else.
 */
#include <atoll.h>

enum { CONSOLE_IN = 0, CONSOLE_OUT = 1 };

static void print(const char *text) {
  size_t length = 0;
  while (text[length] != '\0') length++;
  sys_write(CONSOLE_OUT, text, length);
}

void _start(void) {
  static char line[256];

  print("Type something; Ctrl-D ends.\n");
  for (;;) {
    print("> ");
    int64_t length = sys_read(CONSOLE_IN, line, sizeof line);
    if (length <= 0) break;
    sys_write(CONSOLE_OUT, line, (size_t)length);
    if (line[length - 1] != '\n') print("\n");
  }
  print("Bye.\n");
  sys_exit(0);
}
