/*
 * A pipe between two processes: what one writes, the other reads, in order and byte for byte. The reader sees the end once
 * the last writer has closed; so each side first closes the end that it does not use.
 */
#include <text.h>

void _start(void) {
  int ends[2];
  int error = sys_pipe(ends);
  int child = error < 0 ? error : sys_fork();
  if (child < 0) {
    complain("pipe_demo", "start", child);
    sys_exit(1);
  }
  if (child == 0) {
    sys_close(ends[0]);
    for (int i = 1; i <= 3; i++) {
      text_to(ends[1], "ping\n");
      sys_sleep(1000000);
    }
    sys_exit(0);
  }
  sys_close(ends[1]);
  char buffer[64];
  int64_t got;
  while ((got = sys_read(ends[0], buffer, sizeof buffer)) > 0) {
    print_number(got);
    print(" bytes: ");
    sys_write(1, buffer, (size_t)got);
  }
  print("the writer has closed its end\n");
  sys_wait(child, 0, 0);
  sys_exit(0);
}
