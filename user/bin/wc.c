/* Counts lines, words and bytes of files, or of its input. */
#include <text.h>

/* Returns 0, or what went wrong. */
static int64_t count(int fd) {
  static char buffer[4096];
  int64_t lines = 0, words = 0, bytes = 0, got;
  int in_word = 0;
  while ((got = sys_read(fd, buffer, sizeof buffer)) > 0) {
    bytes += got;
    for (int64_t i = 0; i < got; i++) {
      int is_blank = buffer[i] == ' ' || buffer[i] == '\n' || buffer[i] == '\t';
      lines += buffer[i] == '\n';
      words += !is_blank && !in_word;
      in_word = !is_blank;
    }
  }
  if (got < 0) return got;
  print_number(lines);
  print(" ");
  print_number(words);
  print(" ");
  print_number(bytes);
  return 0;
}

void _start(int argc, char **argv) {
  int status = 0;
  for (int i = argc == 1 ? 0 : 1; i < argc; i++) {
    int fd = i == 0 ? 0 : sys_open(argv[i], O_RDONLY, 0);
    int64_t result = fd < 0 ? fd : count(fd);
    if (fd > 0) sys_close(fd);
    if (result < 0) {
      complain("wc", i == 0 ? "input" : argv[i], result);
      status = 1;
      continue;
    }
    if (i > 0) print(" "), print(argv[i]);
    print("\n");
  }
  sys_exit(status);
}
