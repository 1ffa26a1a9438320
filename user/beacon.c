/*
 * Who is there? Every machine that runs this tells everybody its name once a second, and keeps a list of those it hears.
 * Nobody is in charge and nobody is asked: a list is what one machine has heard, and two machines may disagree for a while.
 *
 *   + bob (169.254.7.12); 2 living: bob carol      the first time bob is heard
 *   - bob; 1 living: carol                         bob has been silent for three seconds
 *   ~ bob (169.254.7.12) began anew                bob was switched off and on before anybody missed him
 *
 * Silence is all there is to notice. Whether bob is dead or only cut off, this machine cannot know.
 */
#include <net.h>

enum { BEACON_PORT = 5500, PEERS_MAX = 255, EVERY_NS = NS_PER_S };

/* One lost beacon is no reason to give somebody up. */
static const int64_t silence_ns = 3ll * NS_PER_S;

/* What goes over the network: 72 bytes, numbers big-endian. */
struct beacon {
  uint32_t magic;
  /* How many this machine has sent since it began. It tells old beacons, and somebody's second life. */
  uint32_t count;
  char name[HOST_NAME_BYTES];
};

static const uint32_t magic = 0x42434e31; /* "BCN1" */

struct peer {
  char name[HOST_NAME_BYTES];
  uint32_t address, count;
  int64_t heard_ns;
};

/* In the order of their names. */
static struct peer peers[PEERS_MAX];
static int living;

static void print_living(void) {
  print("; ");
  print_number(living);
  print(living > 0 ? " living:" : " living");
  for (int i = 0; i < living; i++) print(" "), print(peers[i].name);
  print("\n");
}

static void print_peer_line(const char *what, const struct peer *peer) {
  print(what);
  print(peer->name);
  print(" (");
  print_address(peer->address);
  print(")");
}

static int compare(const char *a, const char *b) {
  while (*a != '\0' && *a == *b) a++, b++;
  return (uint8_t)*a - (uint8_t)*b;
}

/* Somebody was heard. */
static void hear(const struct beacon *beacon, uint32_t address) {
  uint32_t count = net32(beacon->count);
  int at = 0;
  while (at < living && compare(peers[at].name, beacon->name) < 0) at++;
  struct peer *peer = &peers[at];
  if (at == living || compare(peer->name, beacon->name) != 0) {
    if (living == PEERS_MAX) return;
    for (int i = living++; i > at; i--) peers[i] = peers[i - 1];
    for (int i = 0; i < HOST_NAME_BYTES; i++) peer->name[i] = beacon->name[i];
    peer->address = address;
    print_peer_line("+ ", peer);
    print_living();
  } else if (count <= peer->count) {
    /* The network may repeat a beacon or deliver it late; that says nothing about now. Far fewer is a new beginning. */
    if (peer->count - count < (uint32_t)(silence_ns / EVERY_NS)) return;
    print_peer_line("~ ", peer);
    print(" began anew\n");
  }
  peer->address = address;
  peer->count = count;
  peer->heard_ns = sys_clock();
}

static void forget_silent(void) {
  int64_t now = sys_clock();
  for (int at = 0; at < living;) {
    if (now - peers[at].heard_ns < silence_ns) {
      at++;
      continue;
    }
    print("- ");
    print(peers[at].name);
    living--;
    for (int i = at; i < living; i++) peers[i] = peers[i + 1];
    print_living();
  }
}

void _start(void) {
  static struct beacon own, heard;
  struct atoll_address everybody = address_of(ADDRESS_ALL, BEACON_PORT), from;
  int fd = open_udp("beacon", BEACON_PORT);
  sys_setsockopt(fd, SO_BROADCAST, 1);
  sys_hostname(own.name, sizeof own.name);
  own.magic = net32(magic);
  for (int64_t next = sys_clock();; next += EVERY_NS) {
    own.count = net32(net32(own.count) + 1);
    /* The first of them waits until this machine has an address. */
    int64_t sent = sys_sendto(fd, &own, sizeof own, 0, &everybody);
    if (sent < 0) complain("beacon", "announcement", sent);
    if (net32(own.count) == 1) {
      next = sys_clock();
      print(own.name);
      print(": announced from ");
      print_address(own_address());
      print("\n");
    }
    while (sys_clock() < next + EVERY_NS) {
      int64_t got = receive_until(fd, &heard, sizeof heard, &from, next + EVERY_NS);
      int is_beacon = got == sizeof heard && heard.magic == net32(magic);
      is_beacon = is_beacon && heard.name[0] != '\0' && heard.name[HOST_NAME_BYTES - 1] == '\0';
      /* To everybody is to oneself as well. */
      if (is_beacon && compare(heard.name, own.name) != 0) tame(heard.name), hear(&heard, from.address);
      forget_silent();
    }
  }
}
