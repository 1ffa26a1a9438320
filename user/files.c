/*
 * Makes a file in the RAM file system, asks what the kernel knows about it, and reads it back.
 *
 * A system call that fails returns a negative number: minus the errno that says why.
 */
#include <atoll.h>

enum { CONSOLE_OUT = 1 };

static const char path[] = "/notes.txt";
static const char text[] = "Written in ring 3, kept in ring 0.\n";

static void print(const char *message) {
  size_t length = 0;
  while (message[length] != '\0') length++;
  sys_write(CONSOLE_OUT, message, length);
}

/* Ends the program with status 1 when a result says -errno. */
static int64_t check(const char *what, int64_t result) {
  if (result >= 0) return result;
  print(what);
  print(" failed\n");
  sys_exit(1);
}

void _start(void) {
  int fd = (int)check("open for writing", sys_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
  check("write", sys_write(fd, text, sizeof text - 1));
  check("close", sys_close(fd));

  struct atoll_stat stat;
  check("stat", sys_stat(path, &stat));
  print(stat.size == sizeof text - 1 && (stat.mode & S_IFMT) == S_IFREG ? "stat: a regular file of the right size\n"
                                                                         : "stat: not what was written\n");

  char buffer[64];
  fd = (int)check("open for reading", sys_open(path, O_RDONLY, 0));
  int64_t length = check("read", sys_read(fd, buffer, sizeof buffer));
  sys_write(CONSOLE_OUT, buffer, (size_t)length);
  check("close", sys_close(fd));

  if (sys_open("/no/such/file", O_RDONLY, 0) == -ENOENT) print("a file that is not there: ENOENT\n");
  sys_exit(0);
}
