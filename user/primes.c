/*
 * Counts the primes below one million with the sieve of Eratosthenes and says how long that took on the machine's own
 * clock, which runs with the instructions and not with your watch: every run takes the same time.
 */
#include <atoll.h>

enum { LIMIT = 1000000, CONSOLE_OUT = 1 };

static uint8_t composite[LIMIT];

static int count_primes(void) {
  int count = 0;
  for (int n = 2; n < LIMIT; n++) {
    if (composite[n]) continue;
    count++;
    for (int64_t multiple = (int64_t)n * n; multiple < LIMIT; multiple += n) composite[multiple] = 1;
  }
  return count;
}

static void print(const char *text) {
  size_t length = 0;
  while (text[length] != '\0') length++;
  sys_write(CONSOLE_OUT, text, length);
}

static void print_number(uint64_t number) {
  char digits[21];
  size_t at = sizeof digits - 1;
  digits[at] = '\0';
  do {
    digits[--at] = (char)('0' + number % 10);
    number /= 10;
  } while (number != 0);
  print(&digits[at]);
}

void _start(void) {
  int64_t before = sys_clock();
  int count = count_primes();
  int64_t nanoseconds = sys_clock() - before;

  print_number((uint64_t)count);
  print(" primes below ");
  print_number(LIMIT);
  print(" in ");
  print_number((uint64_t)nanoseconds / 1000);
  print(" microseconds of virtual time\n");
  sys_exit(0);
}
