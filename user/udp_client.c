/*
 * Sends words to an echo server and waits for each to come back.
 *
 *   udp_client 10.0.0.2 7 one two      or, without words, every line that is typed
 *
 * Nobody repeats a datagram that is lost: what has not come back after a second will not. That is UDP; rpc.c shows what a
 * program can do about it. Exit status: 0 when everything came back.
 */
#include <net.h>

enum { LINE_BYTES = 1024, WAIT_NS = NS_PER_S };

/* Returns whether it came back. */
static int try(int fd, const char *word, size_t length) {
  static char answer[LINE_BYTES];
  int64_t start = sys_clock(), result = sys_send(fd, word, length, 0);
  while (result >= 0) {
    result = receive_until(fd, answer, sizeof answer, 0, start + WAIT_NS);
    int is_same = result == (int64_t)length;
    for (size_t i = 0; is_same && i < length; i++) is_same = answer[i] == word[i];
    /* Another answer is one that comes late. */
    if (is_same) break;
  }
  sys_write(1, word, length);
  if (result < 0) {
    const char *words = result == -EAGAIN ? "no answer" : words_of_error(-result);
    print(": ");
    print(words ? words : "not sent");
  } else {
    print(": back after ");
    print_milliseconds(sys_clock() - start);
  }
  print("\n");
  return result >= 0;
}

void _start(int argc, char **argv) {
  static char line[LINE_BYTES];
  uint32_t address;
  uint16_t port = argc > 2 ? parse_port(argv[2]) : 0;
  if (port == 0 || !parse_address(argv[1], &address)) {
    text_to(2, "usage: udp_client ADDRESS PORT [WORD...]\n");
    sys_exit(2);
  }
  /* A socket with a peer hears nobody else, and is told when nobody listens there. */
  struct atoll_address server = address_of(address, port);
  int fd = open_udp("udp_client", 0), lost = 0;
  int error = sys_connect(fd, &server);
  if (error < 0) {
    complain("udp_client", argv[1], error);
    sys_exit(1);
  }
  for (int i = 3; i < argc; i++) lost += !try(fd, argv[i], text_length(argv[i]));
  int64_t got;
  while (argc == 3 && (got = sys_read(0, line, sizeof line)) > 0) {
    if (line[got - 1] == '\n') got--;
    if (got > 0) lost += !try(fd, line, (size_t)got);
  }
  sys_exit(lost > 0);
}
