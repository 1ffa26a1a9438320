/*
 * Measures a link from its ends: one machine sends numbered datagrams that say when they left, the other keeps account of
 * when they came. Machines that were switched on together have the same clock.
 *
 *   probe send ADDRESS COUNT GAP_NS BYTES      from one second after the start, one every GAP_NS
 *   probe receive BASE_NS UNTIL_NS             prints its account at UNTIL_NS; delays are told less BASE_NS
 */
#include <net.h>

enum { PORT = 7100, BYTES_MAX = 1400, COUNT_MAX = 1 << 16, HELLO = COUNT_MAX };

struct probe {
  uint64_t number;
  int64_t sent_ns;
};

static uint8_t bytes[BYTES_MAX];

static void sleep_until(int64_t deadline) {
  int64_t left = deadline - sys_clock();
  if (left > 0) sys_sleep(left);
}

static void send(uint32_t address, uint64_t count, int64_t gap_ns, size_t length) {
  struct atoll_address to = address_of(address, PORT);
  struct probe *probe = (struct probe *)bytes;
  int fd = open_udp("probe", 0);
  /* Whoever it is for is looked for now, while nothing is lost. */
  sleep_until(NS_PER_S / 4);
  probe->number = HELLO;
  sys_sendto(fd, bytes, length, 0, &to);
  for (uint64_t i = 0; i < count; i++) {
    sleep_until(NS_PER_S + (int64_t)i * gap_ns);
    probe->number = i;
    probe->sent_ns = sys_clock();
    sys_sendto(fd, bytes, length, 0, &to);
  }
  /* A machine whose first program ends is switched off, with what its network card still has to send. */
  sys_sleep(NS_PER_S);
}

static void print_figure(const char *name, int64_t value) {
  print(name);
  print(" ");
  if (value < 0) print("-");
  print_number(value < 0 ? -value : value);
  print("\n");
}

static void receive(int64_t base_ns, int64_t until_ns) {
  static uint8_t seen[COUNT_MAX];
  const struct probe *probe = (const struct probe *)bytes;
  int64_t received = 0, copies = 0, overtaken = 0, highest = -1, first_ns = 0, last_ns = 0;
  int64_t least = INT64_MAX, most = INT64_MIN, sum = 0, squares = 0, length = 0;
  int fd = open_udp("probe", PORT);
  while (sys_clock() < until_ns) {
    int64_t result = receive_until(fd, bytes, sizeof bytes, 0, until_ns);
    if (result < (int64_t)sizeof *probe || probe->number >= COUNT_MAX) continue;
    int64_t now = sys_clock(), delay = now - probe->sent_ns - base_ns, number = (int64_t)probe->number;
    length = result;
    if (seen[number]++) {
      copies++;
      continue;
    }
    if (received++ == 0) first_ns = now;
    last_ns = now;
    if (number < highest) overtaken++;
    else highest = number;
    if (delay < least) least = delay;
    if (delay > most) most = delay;
    sum += delay;
    squares += delay * delay;
  }
  print_figure("received", received);
  print_figure("copies", copies);
  print_figure("overtaken", overtaken);
  print_figure("least", least);
  print_figure("most", most);
  print_figure("sum", sum);
  print_figure("squares", squares);
  print_figure("length", length);
  print_figure("first", first_ns);
  print_figure("last", last_ns);
  print("done\n");
}

void _start(int argc, char **argv) {
  uint32_t address;
  if (argc == 6 && parse_address(argv[2], &address)) {
    send(address, (uint64_t)number_of_text(argv[3]), number_of_text(argv[4]), (size_t)number_of_text(argv[5]));
    sys_exit(0);
  }
  if (argc == 4) receive(number_of_text(argv[2]), number_of_text(argv[3]));
  sys_exit(argc == 4 ? 0 : 2);
}
