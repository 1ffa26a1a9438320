/*
 * The same greeting in the C that you know: main, printf, argc and argv. The C library is musl, linked into the program;
 * it talks to the kernel through the second door, the syscall instruction, as it would on Linux.
 */
#include <math.h>
#include <stdio.h>

int main(int argc, char *argv[]) {
  printf("Hello from musl!\n");
  for (int i = 0; i < argc; i++) printf("argv[%d] = %s\n", i, argv[i]);
  printf("2 to the 40th is %llu, in hexadecimal 0x%llx\n", 1ull << 40, 1ull << 40);
  printf("the golden ratio is %.15f, and %.18Lf in long double\n", (1 + sqrt(5)) / 2, (1 + sqrtl(5)) / 2);
  return 0;
}
