/*
 * A room for everybody on this network: a line typed on one console appears on the others, with the name of who typed it.
 *
 *   chat            under the machine's name
 *   chat ana        under another
 *
 * Two things can happen at any time: somebody here types, and somebody elsewhere does. A process sleeps for one thing only,
 * so there are two: the child waits for the network and prints, the parent waits for the console and sends. They share the
 * socket, which fork has copied. Ctrl-D leaves.
 */
#include <net.h>

enum { CHAT_PORT = 5400, NAME_BYTES = 32, LINE_BYTES = 512 };

/*
 * What goes over the network: kind, name, 0, line. The line may be empty and has no end of its own. Anybody may claim any
 * name: nothing here proves who is who.
 */
enum { SAYS = ' ', COMES = '+', GOES = '-' };

static char name[NAME_BYTES];

static size_t append(char *to, size_t at, size_t limit, const char *from) {
  while (*from != '\0' && at < limit) to[at++] = *from++;
  return at;
}

static void broadcast(int fd, char kind, const char *line) {
  static char message[1 + NAME_BYTES + LINE_BYTES];
  struct atoll_address everybody = address_of(ADDRESS_ALL, CHAT_PORT);
  message[0] = kind;
  size_t length = append(message, 1, NAME_BYTES, name);
  message[length++] = '\0';
  length = append(message, length, sizeof message, line);
  int64_t sent = sys_sendto(fd, message, length, 0, &everybody);
  if (sent < 0) complain("chat", "not sent", sent);
}

/* The child: prints what others say, each message by one write so that nothing gets between. */
static void listen(int fd) {
  static char message[1 + NAME_BYTES + LINE_BYTES + 1], shown[sizeof message + 32];
  for (;;) {
    struct atoll_address from;
    int64_t length = sys_recvfrom(fd, message, sizeof message - 1, 0, &from);
    /* To everybody is to oneself as well. */
    if (length < 2 || from.address == own_address()) continue;
    message[length] = '\0';
    const char *who = message + 1;
    size_t who_bytes = text_length(who);
    if (who_bytes == 0 || who_bytes >= NAME_BYTES || 1 + who_bytes == (size_t)length) continue;
    char *line = message + 1 + who_bytes + 1;
    tame(message + 1);
    tame(line);
    size_t at = append(shown, 0, sizeof shown, message[0] == SAYS ? "" : "* ");
    at = append(shown, at, sizeof shown, who);
    at = append(shown, at, sizeof shown, message[0] == COMES ? " is here" : message[0] == GOES ? " has left" : ": ");
    if (message[0] == SAYS) at = append(shown, at, sizeof shown, line);
    at = append(shown, at, sizeof shown, "\n");
    sys_write(1, shown, at);
  }
}

void _start(int argc, char **argv) {
  static char line[LINE_BYTES], host[HOST_NAME_BYTES + 1];
  sys_hostname(host, sizeof host);
  append(name, 0, NAME_BYTES - 1, argc > 1 ? argv[1] : host);
  int fd = open_udp("chat", CHAT_PORT);
  sys_setsockopt(fd, SO_BROADCAST, 1);
  int child = sys_fork();
  if (child == 0) listen(fd);
  if (child < 0) {
    complain("chat", "start", child);
    sys_exit(1);
  }
  broadcast(fd, COMES, "");
  print("You are ");
  print(name);
  print(". Type; Ctrl-D leaves.\n");
  int64_t got;
  while ((got = sys_read(0, line, sizeof line - 1)) > 0) {
    if (line[got - 1] == '\n') got--;
    line[got] = '\0';
    if (got > 0) broadcast(fd, SAYS, line);
  }
  broadcast(fd, GOES, "");
  sys_kill(child, SIGKILL);
  sys_wait(child, 0, 0);
  sys_exit(0);
}
