/* Copies files, or its input, to its output. */
#include <text.h>

static void copy(int fd) {
  static char buffer[4096];
  int64_t got;
  while ((got = sys_read(fd, buffer, sizeof buffer)) > 0) sys_write(1, buffer, (size_t)got);
}

void _start(int argc, char **argv) {
  int status = 0;
  if (argc == 1) copy(0);
  for (int i = 1; i < argc; i++) {
    int fd = sys_open(argv[i], O_RDONLY, 0);
    if (fd < 0) {
      complain("cat", argv[i], fd);
      status = 1;
      continue;
    }
    copy(fd);
    sys_close(fd);
  }
  sys_exit(status);
}
