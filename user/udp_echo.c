/*
 * The smallest server there is: whatever arrives goes back to where it came from (RFC 862).
 *
 *   udp_echo            at port 7
 *   udp_echo 7007       at another
 *
 * UDP has no connections. One socket serves everybody, and each datagram says who sent it.
 */
#include <net.h>

enum { ECHO_PORT = 7, DATAGRAM_BYTES_MAX = 1472 };

void _start(int argc, char **argv) {
  static char datagram[DATAGRAM_BYTES_MAX];
  uint16_t port = argc > 1 ? parse_port(argv[1]) : ECHO_PORT;
  if (port == 0 || argc > 2) {
    text_to(2, "usage: udp_echo [PORT]\n");
    sys_exit(2);
  }
  int fd = open_udp("udp_echo", port);
  print("echoing at port ");
  print_number(port);
  print("\n");
  for (;;) {
    struct atoll_address from;
    int64_t length = sys_recvfrom(fd, datagram, sizeof datagram, 0, &from);
    if (length >= 0) {
      print_number(length);
      print(" bytes from ");
      print_peer(&from);
      print("\n");
      length = sys_sendto(fd, datagram, (size_t)length, 0, &from);
    }
    /* One datagram that did not get through is no reason to leave the others alone. */
    if (length < 0) complain("udp_echo", "datagram", length);
  }
}
