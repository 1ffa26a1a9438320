/* Shows the network interfaces of this machine: their addresses, and how much has gone through them. */
#include <net.h>

static void print_station(const uint8_t *mac) {
  static const char digits[] = "0123456789abcdef";
  for (int i = 0; i < 6; i++) {
    char text[] = {i > 0 ? ':' : ' ', digits[mac[i] >> 4], digits[mac[i] & 15]};
    sys_write(1, text, sizeof text);
  }
}

static int prefix_of(uint32_t mask) {
  int bits = 0;
  for (uint32_t rest = net32(mask); rest != 0; rest <<= 1) bits++;
  return bits;
}

static void print_counters(const char *what, uint64_t packets, uint64_t bytes, uint64_t dropped) {
  print(what);
  print_number((int64_t)packets);
  print(" packets, ");
  print_number((int64_t)bytes);
  print(" bytes, ");
  print_number((int64_t)dropped);
  print(" dropped\n");
}

void _start(void) {
  char name[HOST_NAME_BYTES + 1];
  struct atoll_interface interface;
  if (sys_hostname(name, sizeof name) >= 0) print(name), print("\n");
  for (int index = 0; sys_interface(index, &interface) >= 0; index++) {
    print(interface.name);
    print(":");
    if (interface.address != 0) {
      print(" ");
      print_address(interface.address);
      print("/");
      print_number(prefix_of(interface.mask));
    } else print(interface.flags & IFF_CONFIGURING ? " looking for an address" : " no address");
    print(interface.flags & IFF_UP ? ", up" : ", down");
    print(", mtu ");
    print_number(interface.mtu);
    if (interface.gateway != 0) print(", gateway "), print_address(interface.gateway);
    if (!(interface.flags & IFF_LOOPBACK)) print(", station"), print_station(interface.mac);
    print("\n");
    print_counters("  received ", interface.received_packets, interface.received_bytes, interface.received_dropped);
    print_counters("  sent     ", interface.sent_packets, interface.sent_bytes, interface.sent_dropped);
  }
}
