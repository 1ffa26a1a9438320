/* Lists a directory, or the one it is in. */
#include <text.h>

void _start(int argc, char **argv) {
  const char *path = argc > 1 ? argv[1] : ".";
  int directory = sys_open(path, O_RDONLY | O_DIRECTORY, 0);
  if (directory < 0) {
    complain("ls", path, directory);
    sys_exit(1);
  }
  static char name[256];
  int length;
  while ((length = sys_readdir(directory, name, sizeof name)) > 0) {
    sys_write(1, name, (size_t)length);
    print("\n");
  }
}
