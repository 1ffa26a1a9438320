/*
 * Calling a function on another machine, over a network that loses, repeats and reorders what it is given.
 *
 *   rpc serve                       keeps a total and lets others add to it
 *   rpc 10.0.0.2 add 5              adds 5 to it and prints the new total
 *   rpc 10.0.0.2 add 5 20           the same twenty times
 *   rpc 10.0.0.2 total              only asks
 *
 * A request without an answer may be lost, or its answer may be. The client cannot tell, so it asks again, each time after a
 * longer pause. But a server that added 5 each time it is asked would add too much. So every call has a number, and the
 * server keeps the number and the answer of each client's last call: who asks for that one again gets the same answer, and
 * nothing is added. A call is carried out at most once (Birrell and Nelson, 1984).
 *
 * At most: when the server is switched off, its memory of calls goes with it. The client is then told that it is unknown,
 * and says that nobody knows whether its last call was carried out.
 *
 * Exit status: 0 when every call was answered, 1 when one was not, 2 for wrong arguments.
 */
#include <net.h>

enum { RPC_PORT = 5300, SESSIONS_MAX = 64, ATTEMPTS_MAX = 8, FIRST_PAUSE_NS = 100 * NS_PER_MS };

static const uint32_t magic = 0x52504331; /* "RPC1" */

/* What goes over the network: eight numbers, each of them big-endian. */
struct message {
  uint32_t magic;
  uint32_t kind;
  /* Chosen by the client; with its address and port it names one client among all. */
  uint32_t session_high, session_low;
  /* Of the call, counted from 1. */
  uint32_t number;
  uint32_t method;
  /* An argument on the way there, a result on the way back. */
  uint32_t value_high, value_low;
};

enum kind {
  HELLO,     /* client: here is a session */
  WELCOME,   /* server: it is known, and its last call was `number` */
  CALL,      /* client: carry this out */
  ANSWER,    /* server: the result of call `number` */
  UNKNOWN,   /* server: no such session */
  NO_METHOD, /* server: no such method */
};

enum method { ADD, TOTAL };

static int64_t value_of(const struct message *message) {
  return (int64_t)((uint64_t)message->value_high << 32 | message->value_low);
}

static void set_value(struct message *message, int64_t value) {
  message->value_high = (uint32_t)((uint64_t)value >> 32);
  message->value_low = (uint32_t)value;
}

/* To network byte order and back. */
static struct message swapped(struct message message) {
  uint32_t *numbers = (uint32_t *)&message;
  for (size_t i = 0; i < sizeof message / sizeof *numbers; i++) numbers[i] = net32(numbers[i]);
  return message;
}

/* ---- the server */

struct session {
  struct atoll_address client;
  uint32_t high, low;
  /* The last call, and its answer. */
  struct message answer;
  int64_t used_ns;
};

static struct session sessions[SESSIONS_MAX];
static int session_count;
static int64_t total;

static struct session *find_session(const struct message *message, const struct atoll_address *client) {
  for (int i = 0; i < session_count; i++) {
    struct session *session = &sessions[i];
    if (session->client.address == client->address && session->client.port == client->port &&
        session->high == message->session_high && session->low == message->session_low)
      return session;
  }
  return 0;
}

/* A new one takes the place of whoever has been silent for longest when there are too many. */
static struct session *make_session(const struct message *message, const struct atoll_address *client) {
  struct session *session = &sessions[0];
  if (session_count < SESSIONS_MAX) session = &sessions[session_count++];
  else
    for (int i = 1; i < SESSIONS_MAX; i++)
      if (sessions[i].used_ns < session->used_ns) session = &sessions[i];
  *session = (struct session){.client = *client, .high = message->session_high, .low = message->session_low};
  return session;
}

static void carry_out(struct message *message) {
  message->kind = ANSWER;
  if (message->method == ADD) total += value_of(message);
  else if (message->method != TOTAL) message->kind = NO_METHOD;
  set_value(message, total);
}

static void print_call(const struct atoll_address *client, const struct message *call) {
  print_peer(client);
  print(" call ");
  print_number(call->number);
  print(call->method == ADD ? ": add " : call->method == TOTAL ? ": total" : ": no such method");
  if (call->method == ADD) print_number(value_of(call));
}

/* Makes the answer out of the request. Returns 0 when there is none to give. */
static int answer(struct message *message, const struct atoll_address *client) {
  struct session *session = find_session(message, client);
  if (message->kind == HELLO && session == 0) session = make_session(message, client);
  if (session != 0) session->used_ns = sys_clock();
  if (message->kind == HELLO) {
    message->kind = WELCOME;
    message->number = session->answer.number;
    return 1;
  }
  if (message->kind != CALL) return 0;
  if (session == 0) {
    message->kind = UNKNOWN;
    return 1;
  }
  uint32_t last = session->answer.number;
  /* An older call has been answered, or its client would not have made the next. */
  if (message->number != last && message->number != last + 1) return 0;
  print_call(client, message);
  if (message->number == last) {
    *message = session->answer;
    print(" again, answered from memory\n");
    return 1;
  }
  carry_out(message);
  session->answer = *message;
  print(" = ");
  print_number(total);
  print("\n");
  return 1;
}

static void serve(void) {
  int fd = open_udp("rpc", RPC_PORT);
  print("serving at port ");
  print_number(RPC_PORT);
  print("\n");
  for (;;) {
    struct message message;
    struct atoll_address client;
    if (sys_recvfrom(fd, &message, sizeof message, MSG_TRUNC, &client) != sizeof message) continue;
    message = swapped(message);
    if (message.magic != magic || !answer(&message, &client)) continue;
    message = swapped(message);
    int64_t sent = sys_sendto(fd, &message, sizeof message, 0, &client);
    if (sent < 0) complain("rpc", "answer", sent);
  }
}

/* ---- the client */

static int server;
static struct message request;
static int64_t requests_sent;

static int is_answer(const struct message *reply) {
  if (reply->magic != magic) return 0;
  if (reply->session_high != request.session_high || reply->session_low != request.session_low) return 0;
  if (request.kind == HELLO) return reply->kind == WELCOME;
  /* What answers an earlier call comes late, or twice. */
  return reply->number == request.number && (reply->kind == ANSWER || reply->kind == UNKNOWN || reply->kind == NO_METHOD);
}

/* Sends the request until it is answered, after pauses that double: whatever stands in the way is not made worse. */
static int exchange(struct message *reply) {
  int64_t pause = FIRST_PAUSE_NS, error = -EAGAIN;
  for (int attempt = 0; attempt < ATTEMPTS_MAX; attempt++, pause *= 2) {
    struct message message = swapped(request);
    int64_t result = sys_send(server, &message, sizeof message, 0), deadline = sys_clock() + pause;
    requests_sent++;
    while (result >= 0) {
      result = receive_until(server, &message, sizeof message, 0, deadline);
      *reply = swapped(message);
      if (result == sizeof message && is_answer(reply)) return 1;
    }
    if (result == -EAGAIN) continue;
    /* A server that is not there may be there soon. */
    error = result;
    if (deadline > sys_clock()) sys_sleep(deadline - sys_clock());
  }
  if (error == -EAGAIN) text_to(2, "rpc: the server does not answer\n");
  else complain("rpc", "the server", error);
  return 0;
}

/* Returns whether it was answered. */
static int call(uint32_t method, int64_t argument, int64_t *result) {
  struct message reply;
  request.kind = CALL;
  request.number++;
  request.method = method;
  set_value(&request, argument);
  if (!exchange(&reply)) return 0;
  if (reply.kind == ANSWER) {
    *result = value_of(&reply);
    return 1;
  }
  text_to(2, reply.kind == NO_METHOD ? "rpc: the server has no such method\n"
                                     : "rpc: the server has begun anew: nobody knows whether the call was carried out\n");
  return 0;
}

static void open_session(uint32_t address) {
  struct atoll_address to = address_of(address, RPC_PORT);
  struct message reply;
  server = open_udp("rpc", 0);
  int error = sys_connect(server, &to);
  if (error < 0) {
    complain("rpc", "connect", error);
    sys_exit(1);
  }
  int64_t now = sys_clock();
  request = (struct message){.magic = magic, .kind = HELLO};
  request.session_high = (uint32_t)(now >> 32);
  request.session_low = (uint32_t)now;
  if (!exchange(&reply)) sys_exit(1);
  /*
   * Two lives of one machine are equal to the nanosecond, so an earlier one may have had this session. Then the server
   * remembers its calls, and the next one has the next number.
   */
  request.number = reply.number;
}

static int usage(void) {
  text_to(2, "usage: rpc serve\n       rpc ADDRESS add NUMBER [TIMES]\n       rpc ADDRESS total\n");
  return 2;
}

static int ask(int argc, char **argv) {
  uint32_t address;
  int adds = argc > 3 && text_equal(argv[2], "add");
  if (!parse_address(argv[1], &address) || !(adds || text_equal(argv[2], "total"))) return usage();
  int64_t number = adds ? number_of_text(argv[3]) : 0, times = argc > 4 ? number_of_text(argv[4]) : 1;
  open_session(address);
  for (int64_t i = 0; i < times; i++) {
    int64_t result, before = requests_sent;
    if (!call(adds ? ADD : TOTAL, number, &result)) return 1;
    print("total ");
    print_number(result);
    if (requests_sent - before > 1) print(", asked "), print_number(requests_sent - before), print(" times");
    print("\n");
  }
  return 0;
}

void _start(int argc, char **argv) {
  if (argc == 2 && text_equal(argv[1], "serve")) serve();
  sys_exit(argc > 2 ? ask(argc, argv) : usage());
}
