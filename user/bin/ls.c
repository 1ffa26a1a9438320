/* Lists directories, or the one it is in. */
#include <text.h>

/* Returns 0, or what went wrong. A file is listed as itself. */
static int list(const char *path) {
  static char name[256];
  int directory = sys_open(path, O_RDONLY | O_DIRECTORY, 0), length;
  if (directory == -ENOTDIR) {
    struct atoll_stat stat;
    int error = sys_stat(path, &stat);
    if (error < 0) return error;
    print(path);
    print("\n");
    return 0;
  }
  if (directory < 0) return directory;
  while ((length = sys_readdir(directory, name, sizeof name)) > 0) {
    sys_write(1, name, (size_t)length);
    print("\n");
  }
  sys_close(directory);
  return length;
}

void _start(int argc, char **argv) {
  int status = 0;
  for (int i = argc == 1 ? 0 : 1; i < argc; i++) {
    const char *path = i == 0 ? "." : argv[i];
    int result = list(path);
    if (result < 0) complain("ls", path, result), status = 1;
  }
  sys_exit(status);
}
