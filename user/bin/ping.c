/*
 * Asks another machine for an echo, again and again, and says how long each answer took (RFC 792).
 *
 *   ping 10.0.0.2            once a second until Ctrl-C
 *   ping -c 4 10.0.0.2       four times;  -i 0.2  that many seconds apart;  -s 1000  with so many bytes of data
 *
 * Ctrl-C ends a program at once, and yet the sum at the end is to be printed. So there are two processes: a child sends and
 * receives, and tells its parent through a pipe what happened. Ctrl-C ends the child; the parent ignores it, reads the end
 * of the pipe, and prints the sum.
 *
 * Exit status: 0 when anything came back, 1 when nothing did, 2 when it does not know what to do.
 */
#include <net.h>

enum { ECHO_REQUEST = 8, ECHO_REPLY = 0, DATA_BYTES = 56, DATA_BYTES_MAX = 1472, LAST_ANSWER_NS = NS_PER_S };

/* ICMP's header of 8 bytes. The kernel fills in the checksum and the identifier, and sorts out replies to others by it. */
struct echo {
  uint8_t type, code;
  uint16_t checksum, identifier, sequence;
  /* When it was sent. The other machine returns it, so nothing need be remembered here. */
  int64_t sent_ns;
  uint8_t rest[DATA_BYTES_MAX - sizeof(int64_t)];
} __attribute__((packed));

enum { HEADER_BYTES = 8, STAMP_BYTES = sizeof(int64_t) };

/* What the child tells its parent. */
struct event {
  enum { SENT, ANSWERED, ANSWERED_AGAIN, SILENT, FAILED } kind;
  uint16_t sequence;
  int64_t bytes, took_ns, error;
};

static uint32_t target;
static int64_t count = -1, interval_ns = NS_PER_S, data_bytes = DATA_BYTES;

/* ---- the child */

/* One bit for each sequence number, which come round again after 65536. */
static uint8_t answered[65536 / 8];

static int is_answered(uint16_t sequence) {
  return answered[sequence / 8] >> sequence % 8 & 1;
}

static void mark(uint16_t sequence, int is_now_answered) {
  uint8_t bit = (uint8_t)(1 << sequence % 8);
  if (is_now_answered) answered[sequence / 8] |= bit;
  else answered[sequence / 8] &= (uint8_t)~bit;
}

/* Takes what comes until the deadline. With `is_last`, stops when the last request has its answer. */
static void listen_until(int fd, int to_parent, uint16_t sequence, int64_t deadline, int is_last) {
  static struct echo reply;
  while (sys_clock() < deadline && !(is_last && is_answered(sequence))) {
    int64_t got = receive_until(fd, &reply, sizeof reply, 0, deadline);
    struct event event = {FAILED, sequence, got, 0, got};
    if (got == -EAGAIN) return;
    if (got >= HEADER_BYTES) {
      if (reply.type != ECHO_REPLY) continue;
      event.sequence = net16(reply.sequence);
      event.kind = is_answered(event.sequence) ? ANSWERED_AGAIN : ANSWERED;
      event.took_ns = got >= HEADER_BYTES + STAMP_BYTES ? sys_clock() - reply.sent_ns : 0;
    }
    /* That nobody is there is an answer too. */
    mark(event.sequence, 1);
    sys_write(to_parent, &event, sizeof event);
  }
}

/* Returns what the kernel said of it. */
static int64_t send(int fd, int to_parent, const struct echo *request) {
  struct atoll_address to = address_of(target, 0);
  int64_t result = 0;
  /* A first failure may be that of an earlier request, which the kernel tells at the next call. */
  for (int attempt = 0; attempt < 2; attempt++) {
    result = sys_sendto(fd, request, HEADER_BYTES + (size_t)data_bytes, 0, &to);
    struct event event = {result < 0 ? FAILED : SENT, net16(request->sequence), 0, 0, result};
    sys_write(to_parent, &event, sizeof event);
    if (result >= 0) break;
  }
  return result;
}

static void send_all(int fd, int to_parent) {
  static struct echo request = {.type = ECHO_REQUEST};
  for (size_t i = 0; i < sizeof request.rest; i++) request.rest[i] = (uint8_t)i;
  for (int64_t number = 1, next = sys_clock(); number <= count || count < 0; number++) {
    uint16_t sequence = (uint16_t)number;
    mark(sequence, 0);
    request.sequence = net16(sequence);
    request.sent_ns = sys_clock();
    int64_t result = send(fd, to_parent, &request);
    /* The first may have waited until this machine had an address: an interval is counted from when it could be sent. */
    if (number == 1) next = sys_clock();
    next += interval_ns;
    listen_until(fd, to_parent, sequence, number == count ? sys_clock() + LAST_ANSWER_NS : next, number == count);
    struct event silence = {SILENT, sequence, 0, 0, 0};
    if (result >= 0 && !is_answered(sequence)) sys_write(to_parent, &silence, sizeof silence);
  }
}

/* ---- the parent */

static int64_t sent, received, repeated, least_ns, most_ns, sum_ns;

static void print_failure(int64_t error) {
  const char *words = words_of_error(-error);
  print_address(target);
  print(words ? ": " : ": error ");
  if (words) print(words);
  else print_number(-error);
  print("\n");
}

static void print_event(const struct event *event) {
  switch (event->kind) {
    case SENT: sent++; return;
    case SILENT: print("no answer to seq="); break;
    case FAILED: print_failure(event->error); return;
    case ANSWERED:
    case ANSWERED_AGAIN:
      print_number(event->bytes);
      print(" bytes from ");
      print_address(target);
      print(": seq=");
  }
  print_number(event->sequence);
  if (event->kind == ANSWERED || event->kind == ANSWERED_AGAIN) {
    if (data_bytes >= STAMP_BYTES) print(" time="), print_milliseconds(event->took_ns);
    if (event->kind == ANSWERED_AGAIN) print(" (again)"), repeated++;
    else {
      if (received == 0 || event->took_ns < least_ns) least_ns = event->took_ns;
      if (event->took_ns > most_ns) most_ns = event->took_ns;
      sum_ns += event->took_ns;
      received++;
    }
  }
  print("\n");
}

static void print_sum(void) {
  print_number(sent);
  print(" sent, ");
  print_number(received);
  print(" received, ");
  if (repeated > 0) print_number(repeated), print(" repeated, ");
  print_number(sent > 0 ? (sent - received) * 100 / sent : 0);
  print("% lost\n");
  if (received == 0 || data_bytes < STAMP_BYTES) return;
  print("least ");
  print_milliseconds(least_ns);
  print(", average ");
  print_milliseconds(sum_ns / received);
  print(", most ");
  print_milliseconds(most_ns);
  print("\n");
}

/* ---- the beginning */

/* Seconds with a decimal point, such as 0.2, in nanoseconds; -1 when the text is none. */
static int64_t nanoseconds_of_text(const char *text) {
  int64_t nanoseconds = 0, unit = NS_PER_S;
  int digits = 0, has_point = 0;
  for (; *text != '\0'; text++) {
    if (*text == '.' && !has_point) {
      has_point = 1;
      continue;
    }
    if (*text < '0' || *text > '9' || ++digits > 9) return -1;
    if (has_point) nanoseconds += (*text - '0') * (unit /= 10);
    else nanoseconds = nanoseconds * 10 + (int64_t)(*text - '0') * NS_PER_S;
  }
  return digits > 0 ? nanoseconds : -1;
}

/* Returns whether it understood them. */
static int parse_arguments(int argc, char **argv) {
  int at = 1;
  for (; at + 1 < argc && argv[at][0] == '-'; at += 2) {
    const char *value = argv[at + 1];
    if (text_equal(argv[at], "-c")) count = number_of_text(value);
    else if (text_equal(argv[at], "-i")) interval_ns = nanoseconds_of_text(value);
    else if (text_equal(argv[at], "-s")) data_bytes = number_of_text(value);
    else return 0;
    if (text_equal(argv[at], "-c") && count < 1) return 0;
  }
  /* As often as a thousand times a second, but not more. */
  if (interval_ns < NS_PER_MS || data_bytes < 0 || data_bytes > DATA_BYTES_MAX) return 0;
  return at + 1 == argc && parse_address(argv[at], &target);
}

void _start(int argc, char **argv) {
  if (!parse_arguments(argc, argv)) {
    text_to(2, "usage: ping [-c COUNT] [-i SECONDS] [-s BYTES] ADDRESS\n");
    sys_exit(2);
  }
  int fd = sys_socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP), ends[2];
  int error = fd < 0 ? fd : sys_pipe(ends);
  sys_ignore(SIGINT, 1);
  int child = error < 0 ? error : sys_fork();
  if (child < 0) {
    complain("ping", "start", child);
    sys_exit(2);
  }
  if (child == 0) {
    sys_ignore(SIGINT, 0);
    sys_close(ends[0]);
    send_all(fd, ends[1]);
    sys_exit(0);
  }
  sys_close(ends[1]);
  print("asking ");
  print_address(target);
  print(", ");
  print_number(data_bytes);
  print(" bytes of data\n");
  struct event event;
  while (sys_read(ends[0], &event, sizeof event) == sizeof event) print_event(&event);
  sys_wait(child, 0, 0);
  print_sum();
  sys_exit(received == 0);
}
