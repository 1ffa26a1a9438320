/* Counts lines, words and bytes of its input. */
#include <text.h>

void _start(void) {
  static char buffer[4096];
  int64_t lines = 0, words = 0, bytes = 0, got;
  int in_word = 0;
  while ((got = sys_read(0, buffer, sizeof buffer)) > 0) {
    bytes += got;
    for (int64_t i = 0; i < got; i++) {
      int is_blank = buffer[i] == ' ' || buffer[i] == '\n' || buffer[i] == '\t';
      lines += buffer[i] == '\n';
      words += !is_blank && !in_word;
      in_word = !is_blank;
    }
  }
  print_number(lines);
  print(" ");
  print_number(words);
  print(" ");
  print_number(bytes);
  print("\n");
}
