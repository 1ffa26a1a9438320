#pragma once
/*
 * The few words about the network that programs need. In `struct atoll_address` and `struct atoll_interface` ports and
 * addresses are in network byte order: the byte that counts most comes first, on every machine.
 */
#include <text.h>

enum { NS_PER_MS = 1000000, NS_PER_S = 1000000000, HOST_NAME_BYTES = 64 };

/* Everybody on this network, and any of this machine's own addresses. */
#define ADDRESS_ALL 0xffffffffu
#define ADDRESS_ANY 0u

/* To network byte order and back, which is the same thing. */
static inline uint16_t net16(uint16_t number) {
  return (uint16_t)(number >> 8 | number << 8);
}

static inline uint32_t net32(uint32_t number) {
  return (uint32_t)net16((uint16_t)number) << 16 | net16((uint16_t)(number >> 16));
}

static inline struct atoll_address address_of(uint32_t address, uint16_t port) {
  return (struct atoll_address){AF_INET, net16(port), address};
}

/* Reads `10.0.0.1` into `address`, in network byte order. Returns whether the text was that and nothing else. */
static inline int parse_address(const char *text, uint32_t *address) {
  uint8_t *bytes = (uint8_t *)address;
  for (int i = 0; i < 4; i++) {
    int number = 0, digits = 0;
    for (; *text >= '0' && *text <= '9' && digits < 4; text++, digits++) number = number * 10 + (*text - '0');
    if (digits == 0 || number > 255 || *text++ != (i < 3 ? '.' : '\0')) return 0;
    bytes[i] = (uint8_t)number;
  }
  return 1;
}

/* Reads a port from 1 to 65535; 0 when the text is none. */
static inline uint16_t parse_port(const char *text) {
  int64_t port = number_of_text(text);
  for (const char *at = text; *at != '\0'; at++)
    if (*at < '0' || *at > '9' || at - text > 4) return 0;
  return port <= 65535 ? (uint16_t)port : 0;
}

static inline void print_address(uint32_t address) {
  const uint8_t *bytes = (const uint8_t *)&address;
  for (int i = 0; i < 4; i++) {
    if (i > 0) print(".");
    print_number(bytes[i]);
  }
}

/* `10.0.0.1:7` */
static inline void print_peer(const struct atoll_address *peer) {
  print_address(peer->address);
  print(":");
  print_number(net16(peer->port));
}

/* Nanoseconds as `2.041 ms`. */
static inline void print_milliseconds(int64_t nanoseconds) {
  int64_t thousandths = nanoseconds % NS_PER_MS / 1000;
  print_number(nanoseconds / NS_PER_MS);
  print(thousandths < 10 ? ".00" : thousandths < 100 ? ".0" : ".");
  print_number(thousandths);
  print(" ms");
}

/*
 * Makes text from the network safe to print: bytes that a terminal would obey, such as ESC, become question marks. Those are
 * the control characters below space, DEL, and in UTF-8 the second byte of U+0080 to U+009F.
 */
static inline void tame(char *text) {
  for (uint8_t previous = 0; *text != '\0'; previous = (uint8_t)*text++) {
    uint8_t byte = (uint8_t)*text;
    if (byte < ' ' || byte == 127 || (previous == 0xc2 && byte < 0xa0)) *text = '?';
  }
}

/* The address of the network card, 0 while it has none. */
static inline uint32_t own_address(void) {
  struct atoll_interface card;
  return sys_interface(1, &card) < 0 ? 0 : card.address;
}

/* A UDP socket at a port of this machine, 0 for one that nobody has. Says why there is none, and ends the program. */
static inline int open_udp(const char *program, uint16_t port) {
  struct atoll_address own = address_of(ADDRESS_ANY, port);
  int fd = sys_socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
  int error = fd < 0 ? fd : sys_bind(fd, &own);
  if (error >= 0) return fd;
  complain(program, "socket", error);
  sys_exit(1);
}

/*
 * Receives one datagram, and sleeps for it until the clock shows `deadline`. Returns its length, or -EAGAIN when none came.
 * `from` may be 0.
 */
static inline int64_t receive_until(int fd, void *buffer, size_t length, struct atoll_address *from, int64_t deadline) {
  int64_t left = deadline - sys_clock();
  if (left <= 0) return sys_recvfrom(fd, buffer, length, MSG_DONTWAIT, from);
  sys_setsockopt(fd, SO_RCVTIMEO, left);
  return sys_recvfrom(fd, buffer, length, 0, from);
}
