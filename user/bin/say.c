/* Says its arguments. */
#include <text.h>

void _start(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    print(argv[i]);
    print(i + 1 < argc ? " " : "\n");
  }
  if (argc == 1) print("\n");
}
