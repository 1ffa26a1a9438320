/* Shows the processes: the kernel's own table, in columns. */
#include <text.h>

void _start(void) {
  static char table[16384];
  int fd = sys_open("/proc/processes", O_RDONLY, 0);
  int64_t length = sys_read(fd, table, sizeof table);
  static const int widths[] = {6, 8, 9, 7, 10, 0};
  for (int64_t at = 0, column = 0, used = 0; at < length; at++) {
    if (table[at] == ' ' || table[at] == '\n') {
      int is_end = table[at] == '\n';
      for (; !is_end && used < widths[column]; used++) print(" ");
      if (is_end) print("\n");
      column = is_end ? 0 : column + 1;
      used = 0;
    } else {
      sys_write(1, table + at, 1);
      used++;
    }
  }
}
