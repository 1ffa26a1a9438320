/*
 * The same greeting in the C that you know: main, printf, argc and argv. The C library is musl, linked into the program;
 * it talks to the kernel through the second door, the syscall instruction, as it would on Linux.
 */
#include <stdio.h>

int main(int argc, char *argv[]) {
  printf("Hello from musl!\n");
  for (int i = 0; i < argc; i++) printf("argv[%d] = %s\n", i, argv[i]);
  printf("one third is %.6f\n", 1.0 / 3.0);
  return 0;
}
