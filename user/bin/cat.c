/* Copies files, or its input, to its output. */
#include <text.h>

/* Returns 0 at the end of the file, else what went wrong. */
static int64_t copy(int fd) {
  static char buffer[4096];
  int64_t got;
  while ((got = sys_read(fd, buffer, sizeof buffer)) > 0) {
    int64_t written = sys_write(1, buffer, (size_t)got);
    if (written < 0) return written;
  }
  return got;
}

void _start(int argc, char **argv) {
  int status = 0;
  for (int i = argc == 1 ? 0 : 1; i < argc; i++) {
    int fd = i == 0 ? 0 : sys_open(argv[i], O_RDONLY, 0);
    int64_t result = fd < 0 ? fd : copy(fd);
    if (fd > 0) sys_close(fd);
    if (result == 0) continue;
    complain("cat", i == 0 ? "input" : argv[i], result);
    status = 1;
  }
  sys_exit(status);
}
