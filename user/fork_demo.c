/*
 * One program becomes two. fork returns twice: 0 in the child, the child's process id in the parent. Both go on from there
 * with the same memory, which is shared until one of them writes; from then on each has its own page.
 */
#include <text.h>

static int value = 1;

static void tell(const char *who) {
  print(who);
  print(" is process ");
  print_number(sys_getpid());
  print(", value = ");
  print_number(value);
  print("\n");
}

void _start(void) {
  tell("parent");
  int child = sys_fork();
  if (child < 0) {
    complain("fork_demo", "fork", child);
    sys_exit(1);
  }
  if (child == 0) {
    value = 2;
    tell("child ");
    sys_exit(7);
  }
  int status;
  sys_wait(child, &status, 0);
  tell("parent");
  print("child's exit status: ");
  print_number(status);
  print("\n");
  sys_exit(0);
}
