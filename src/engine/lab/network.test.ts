import { beforeAll, describe, expect, it } from 'vitest'
import { JoinedMachines } from './testing/joined.ts'
import type { JoinOptions } from './testing/joined.ts'
import { PRINT, boot, build, buildBody, toolchain } from './testing/programs.ts'
import { runProgram } from './testing/run-program.ts'
import type { RunOptions } from './testing/run-program.ts'

beforeAll(() => toolchain.prepareMusl(() => {}), 300_000)

const HELPERS = `#include <atoll.h>${PRINT}
static uint16_t swap16(uint16_t value) { return value << 8 | value >> 8; }
static struct atoll_address at(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port) {
  struct atoll_address address = {AF_INET, swap16(port), (uint32_t)d << 24 | c << 16 | b << 8 | a};
  return address;
}
static void dotted(uint32_t address) { for (int i = 0; i < 4; i++) { number(address >> (8 * i) & 255); } }
`
const program = (body: string): Promise<Uint8Array> => buildBody(HELPERS, body)

const run = async (body: string, options: Partial<RunOptions> = {}): Promise<ReturnType<typeof runProgram>> =>
  runProgram(await program(body), { boot, ...options })

const mac = (last: number): Uint8Array => Uint8Array.of(0x52, 0x54, 0, 0, 0, last)
const options = (bytes: Uint8Array, last: number, address?: string, args: string[] = []) => ({
  boot, program: { path: '/bin/program', bytes, args }, seed: last, network: { mac: mac(last), address, hostname: `node${last}` },
})

/** What a machine's program has printed. */
const printed = (output: string): string => output.slice(output.indexOf("`-~~~-'") + 8).replace(/\n?\[ *\d+\.\d+\] .*\n/g, '').trim()

async function pair(first: string, second: string, join_: JoinOptions = {}): Promise<JoinedMachines> {
  const [a, b] = await Promise.all([program(first), program(second)])
  return new JoinedMachines([options(a, 1, '10.0.0.1/24'), options(b, 2, '10.0.0.2/24')], join_)
}

const SERVER = `
  int fd = sys_socket(AF_INET, SOCK_DGRAM, 0); struct atoll_address any = at(0, 0, 0, 0, 7007), from; char text[2000];
  number(sys_bind(fd, &any));
  for (;;) { int64_t n = sys_recvfrom(fd, text, sizeof text, 0, &from); sys_sendto(fd, text, n, 0, &from); }`
const CLIENT = `
  int fd = sys_socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP); struct atoll_address server = at(10, 0, 0, 2, 7007); static char text[1472];
  number(sys_connect(fd, &server)); sys_setsockopt(fd, SO_RCVTIMEO, 200000000);
  int answered = 0;
  for (int i = 0; i < 20; i++) for (int attempt = 0; attempt < 20; attempt++) {
    for (int j = 0; j < 1472; j++) text[j] = i + j;
    sys_send(fd, text, 1 + i * 77, 0);
    int64_t n = sys_recv(fd, text, sizeof text, 0), same = n == 1 + i * 77;
    for (int j = 0; j < n; j++) same &= text[j] == (char)(i + j);
    if (same) { answered++; break; }
  }
  number(answered); number(sys_close(fd)); print("done");`

describe('one machine', () => {
  it('has loopback and nothing else without a card', async () => {
    const { program: output } = await run(`
      struct atoll_interface lo; number(sys_interface(0, &lo)); print(lo.name); print(" "); dotted(lo.address); number(lo.flags);
      number(sys_interface(1, &lo)); number(sys_interface(-1, &lo));
      char name[64]; number(sys_hostname(name, 64)); print(name); print(" "); number(sys_hostname(name, 3));
      int fd = sys_socket(AF_INET, SOCK_DGRAM, 0); struct atoll_address self = at(127, 0, 0, 1, 5000), peer = at(10, 0, 0, 1, 1), from;
      number(sys_bind(fd, &self)); number(sys_sendto(fd, "hello", 5, 0, &self)); char text[8] = {0};
      number(sys_recvfrom(fd, text, 8, 0, &from)); print(text); number(from.port == self.port); number(sys_sendto(fd, "x", 1, 0, &peer));`)
    expect(output).toBe('0 lo 127 0 0 1 9 -19 -19 5 atoll -34 0 5 5 hello1 -101')
  })

  it('answers wrong calls with the right errno', async () => {
    const { program: output } = await run(`
      number(sys_socket(10, SOCK_DGRAM, 0)); number(sys_socket(AF_INET, SOCK_STREAM, 0)); number(sys_socket(AF_INET, SOCK_DGRAM, 99));
      struct atoll_address a = at(127, 0, 0, 1, 80), other = at(10, 1, 1, 1, 80); a.family = 2;
      number(sys_bind(1, &a)); number(sys_bind(99, &a));
      int fd = sys_socket(AF_INET, SOCK_DGRAM, 0); char c; print("| ");
      number(sys_listen(fd, 1)); number(sys_accept(fd, 0)); number(sys_send(fd, "x", 1, 0)); number(sys_recv(fd, &c, 1, MSG_DONTWAIT));
      number(sys_bind(fd, &other)); number(sys_bind(fd, (void *)16)); number(sys_bind(fd, &a)); number(sys_bind(fd, &a)); print("| ");
      number(sys_sendto(fd, (void *)16, 5, 0, &a)); number(sys_sendto(fd, "x", 70000, 0, &a)); number(sys_send(fd, "x", 1, 1));
      number(sys_setsockopt(fd, 99, 1)); number(sys_setsockopt(fd, SO_RCVTIMEO, -1)); number(sys_recv(fd, (void *)16, 5, 0));
      struct atoll_address all = at(255, 255, 255, 255, 80); number(sys_sendto(fd, "x", 1, 0, &all)); a.family = 9;
      number(sys_sendto(fd, "x", 1, 0, &a)); print("| ");
      int again = sys_socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0); a.family = 2; number(sys_bind(again, &a));
      number(sys_read(again, &c, 1));
      struct atoll_address name; number(sys_sockname(fd, &name)); number(swap16(name.port)); number(sys_seek(fd, 0, 0));`)
    expect(output).toBe('-97 -93 -93 -88 -9 | -95 -95 -89 -11 -99 -14 0 -22 | -14 -90 -95 -92 -22 -14 -101 -97 | -98 -11 0 80 -29')
  })

  it('shares sockets between parent and child, and gives the port back with the last', async () => {
    const { program: output, session } = await run(`
      int fd = sys_socket(AF_INET, SOCK_DGRAM, 0); struct atoll_address self = at(127, 0, 0, 1, 5000); sys_bind(fd, &self);
      if (sys_fork() == 0) { char text[8] = {0}; number(sys_read(fd, text, 8)); print(text); sys_exit(0); }
      int copy = sys_dup(fd, -1); sys_close(fd); number(sys_connect(copy, &self)); sys_write(copy, "child", 5);
      sys_wait(-1, 0, 0); int other = sys_socket(AF_INET, SOCK_DGRAM, 0); number(sys_bind(other, &self)); sys_close(copy);
      number(sys_bind(other, &self)); sys_close(other);`)
    expect(output).toBe('0 5 child-98 0')
    expect(session.kernel.network.sockets.list()).toEqual([])
  })

  it('waits for a datagram as long as it was told', async () => {
    const { program: output } = await run(`
      int fd = sys_socket(AF_INET, SOCK_DGRAM, 0); char c; sys_setsockopt(fd, SO_RCVTIMEO, 30000000); int64_t start = sys_clock();
      number(sys_recv(fd, &c, 1, 0)); int64_t waited = sys_clock() - start; number(waited >= 30000000 && waited < 33000000);`)
    expect(output).toBe('-11 1')
  })

  it('keeps a datagram whose reader gave a bad address, cuts one that is too long, and peeks', async () => {
    const { program: output } = await run(`
      int fd = sys_socket(AF_INET, SOCK_DGRAM, 0); struct atoll_address self = at(127, 0, 0, 1, 5000); sys_bind(fd, &self);
      sys_sendto(fd, "abcdef", 6, 0, &self); sys_sendto(fd, "", 0, 0, &self); char text[8] = {0};
      number(sys_recvfrom(fd, text, 8, 0, (void *)16)); number(sys_recv(fd, text, 3, MSG_PEEK | MSG_TRUNC)); text[3] = 0; print(text);
      number(sys_recv(fd, text, 3, 0)); number(sys_recv(fd, text, 3, 0)); number(sys_recv(fd, text, 3, MSG_DONTWAIT));`)
    expect(output).toBe('-14 6 abc3 0 -11')
  })

  it('pings itself', async () => {
    const { program: output } = await run(`
      int fd = sys_socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP); struct atoll_address self = at(127, 0, 0, 1, 0), from;
      uint8_t echo[16] = {8, 0, 0, 0, 0, 0, 0, 7, 'd', 'a', 't', 'a'}, back[64];
      number(sys_sendto(fd, echo, 16, 0, &self)); number(sys_recvfrom(fd, back, 64, 0, &from)); number(back[0]); number(back[7]);
      number(back[8] == 'd'); dotted(from.address);`)
    expect(output).toBe('16 16 0 7 1 127 0 0 1')
  })

  it('shows the network in /proc', async () => {
    const bytes = await build('test.c', `#include <stdio.h>
      #include <sys/socket.h>
      #include <netinet/in.h>
      int main(void) {
        int fd = socket(AF_INET, SOCK_DGRAM, 0); struct sockaddr_in any = {AF_INET, htons(7007)}; bind(fd, (void *)&any, sizeof any);
        const char *names[] = {"hostname", "interfaces", "routes", "sockets", "neighbours", "drops"};
        for (int i = 0; i < 6; i++) {
          char path[32], line[256]; snprintf(path, sizeof path, "/proc/%s", names[i]); FILE *file = fopen(path, "r");
          while (fgets(line, sizeof line, file)) fputs(line, stdout);
          fclose(file);
        }
      }`)
    const { program: output } = runProgram(bytes, { boot, network: { mac: mac(1), address: '10.0.0.1/24', hostname: 'alice' } })
    expect(output).toBe(
      [
        'alice', 'NAME ADDRESS MAC MTU RX_PACKETS RX_BYTES RX_DROPPED TX_PACKETS TX_BYTES TX_DROPPED',
        'lo 127.0.0.1/8 00:00:00:00:00:00 65535 0 0 0 0 0 0', 'eth0 10.0.0.1/24 52:54:00:00:00:01 1500 0 0 0 0 0 0',
        'NETWORK GATEWAY INTERFACE', '10.0.0.0/24 - eth0', '127.0.0.0/8 - lo', 'PROTOCOL LOCAL PEER QUEUED_BYTES DROPPED',
        'udp 0.0.0.0:7007 - 0 0', 'ADDRESS MAC STATE', 'COUNT REASON',
      ].join('\n'),
    )
  })

  it('survives random socket calls, every time in the same way', async () => {
    const body = `
      static uint64_t state = 88172645463325252ull; uint64_t hash = 0; static char area[8192]; int sockets = 0;
      #define NEXT (state ^= state << 13, state ^= state >> 7, state ^= state << 17, state)
      #define POINTER (uint64_t)&area[NEXT % 6000]
      #define VALUE (NEXT % 4 == 0 ? NEXT : NEXT % 3 == 0 ? POINTER : NEXT % 3 == 0 ? 127 + (1ull << 24) : NEXT % 70)
      static const int calls[] = {15, 16, 17, 18, 19, 20, 21, 22, 23, 60, 61, 62, 63, 8, 9, 11};
      for (int i = 0; i < 60000; i++) {
        if (i % 100 == 0 && sys_socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, i % 200 ? 1 : 17) >= 0) sockets++;
        for (int j = 0; j < 8; j++) area[NEXT % sizeof area] = NEXT;
        struct atoll_address good = at(NEXT % 2 ? 127 : 10, 0, 0, NEXT % 3, NEXT % 300);
        if (NEXT % 2) *(struct atoll_address *)POINTER = good;
        int call = calls[NEXT % 16]; uint64_t fd = NEXT % 2 ? 3 + NEXT % 40 : VALUE, saved = state;
        uint64_t address = NEXT % 3 ? (uint64_t)&good : VALUE;
        uint64_t a = fd, b = VALUE, c = VALUE, d = NEXT % 2 ? MSG_DONTWAIT : VALUE | MSG_DONTWAIT;
        if (call == 15) { a = AF_INET; b = (2 + NEXT % 3) | SOCK_NONBLOCK; c = NEXT % 2 * 17; }
        else if (call == 8 || call == 9) { if (fd < 3) continue; a = fd | 4; b = (uint64_t)area; c = NEXT % 3000; }
        else if (call == 11) { if (NEXT % 8) continue; a = 3 + NEXT % 100; }
        else if (call == 16 || call == 19) b = address;
        hash = hash * 31 + atoll_syscall(call, a, b, c, d, address, VALUE);
        state = saved * 6364136223846793005ull + 1442695040888963407ull;
      }
      number(sockets > 100); number(hash & 0xffffffff);`
    const setUp = { network: { mac: mac(1), address: '10.0.0.1/24', hostname: 'fuzz' }, untilNs: 20_000_000_000 }
    const [first, second] = [await run(body, setUp), await run(body, setUp)]
    expect(first.session.kernel.panicReason).toBe('')
    expect(first.status.phase).toBe('exited')
    expect(first.program).toMatch(/^1 \d+$/m)
    expect(second.output).toBe(first.output)
    const { network, openFiles } = first.session.kernel
    expect([network.sockets.list().length, network.sockets.bufferedBytes, openFiles.count]).toEqual([0, 0, 0])
  })
})

describe('two machines on a cable', () => {
  it('say at boot what they have', async () => {
    const machines = await pair('sys_sleep(1000000);', 'sys_sleep(1000000);')
    machines.advance(20_000_000)
    expect(machines.machines[0].output).toMatch(/\] e1000: 52:54:00:00:00:01 at 00:03\.0, irq 11\n\[ *\d\.\d+\] net: 10\.0\.0\.1\/24\n/)
  })

  it('exchange datagrams of every size, blocking', async () => {
    const machines = await pair(CLIENT, SERVER)
    const [client, server] = machines.machines
    expect(machines.until(() => client.output.includes('done'), 5_000_000_000)).toBe(true)
    expect(printed(client.output).split('\n')[0]).toBe('0 20 0 done')
    expect(printed(server.output)).toBe('0')
  })

  it('get through a cable that loses frames by asking again', async () => {
    const machines = await pair(CLIENT, SERVER, { loses: (machine, index) => (index * 7 + machine) % 4 === 0 })
    const [client] = machines.machines
    expect(machines.until(() => client.output.includes('done'), 60_000_000_000)).toBe(true)
    expect(printed(client.output).split('\n')[0]).toBe('0 20 0 done')
  })

  it('do the same thing every time', async () => {
    const [a, b] = await Promise.all([program(CLIENT), program(SERVER)])
    const once = (): string => {
      const machines = new JoinedMachines([options(a, 1), options(b, 2, '10.0.0.2/24')])
      machines.advance(1_000_000_000)
      const wire = machines.machines.map(({ frames }) => frames.map(({ timeNs, frame }) => [timeNs, [...frame]]))
      return JSON.stringify([wire, machines.machines.map(({ output }) => output)])
    }
    expect(once()).toBe(once())
  })

  it('ping, are refused at a closed port, and cannot reach who is not there', async () => {
    const machines = await pair(`
      int fd = sys_socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
      struct atoll_address peer = at(10, 0, 0, 2, 0), gone = at(10, 0, 0, 9, 7), from;
      uint8_t echo[64] = {8, 0, 0, 0, 0, 0, 0, 1}, back[64]; sys_sleep(20000000); int64_t start = sys_clock();
      int64_t sent = sys_sendto(fd, echo, 64, 0, &peer), got = sys_recvfrom(fd, back, 64, 0, &from), took = sys_clock() - start;
      number(sent); number(got); dotted(from.address); number(took > 2000000 && took < 3000000);
      int udp = sys_socket(AF_INET, SOCK_DGRAM, 0); peer.port = 99; sys_connect(udp, &peer);
      number(sys_write(udp, "x", 1)); number(sys_read(udp, back, 1));
      number(sys_sendto(fd, echo, 64, 0, &gone)); number(sys_recv(fd, back, 64, 0));
      struct atoll_interface eth; number(sys_interface(1, &eth)); dotted(eth.mask); number(eth.sent_packets); number(eth.received_packets);
      number(eth.sent_dropped); print("done");`, 'for (;;) sys_sleep(1000000000);')
    const [pinger] = machines.machines
    expect(machines.until(() => pinger.output.includes('done'), 10_000_000_000)).toBe(true)
    expect(printed(pinger.output).split('\n')[0]).toBe('64 64 10 0 0 2 1 1 -111 64 -113 0 255 255 255 0 2 2 1 done')
  })

  it('find link-local addresses, and a program that sends at once waits for its own', async () => {
    const body = `
      int fd = sys_socket(AF_INET, SOCK_DGRAM, 0);
      struct atoll_address all = at(255, 255, 255, 255, 7007), any = at(0, 0, 0, 0, 7007), from; struct atoll_interface eth;
      sys_interface(1, &eth); number(eth.flags == (IFF_UP | IFF_BROADCAST | IFF_CONFIGURING)); number(eth.address);
      sys_bind(fd, &any); number(sys_sendto(fd, "early", 5, MSG_DONTWAIT, &all)); sys_setsockopt(fd, SO_BROADCAST, 1);
      int64_t sent = sys_sendto(fd, "here", 4, 0, &all); number(sent); sys_interface(1, &eth); number(eth.address & 0xffff);
      char text[8]; do sys_recvfrom(fd, text, 8, 0, &from); while (from.address == eth.address);
      number(from.address & 0xffff); print("done");
      for (;;) { sys_sendto(fd, "here", 4, 0, &all); sys_sleep(1000000000); }`
    const bytes = await program(body)
    const machines = new JoinedMachines([options(bytes, 1), options(bytes, 2)], { latencyNs: 5_000_000 })
    const { machines: all } = machines
    expect(machines.until(() => all.every(({ output }) => output.includes('done')), 20_000_000_000)).toBe(true)
    for (const { output } of all) {
      expect(printed(output).split('\n')[0]).toBe(`1 0 -11 4 ${0xfea9} ${0xfea9} done`)
      expect(output).toMatch(/net: 169\.254\.\d+\.\d+\/16 \(link-local\)/)
    }
  })

  it('flood without harm: the sender waits for the card, the receiver loses what it does not read', async () => {
    const machines = await pair(`
      int fd = sys_socket(AF_INET, SOCK_DGRAM, 0); struct atoll_address peer = at(10, 0, 0, 2, 7007); static char text[1400];
      sys_sendto(fd, text, 1, 0, &peer); sys_sleep(10000000);
      int failed = 0; for (int i = 0; i < 3000; i++) failed += sys_sendto(fd, text, 1400, 0, &peer) != 1400; number(failed); print("done");
      sys_sleep(1000000000);`, `
      int fd = sys_socket(AF_INET, SOCK_DGRAM, 0); struct atoll_address any = at(0, 0, 0, 0, 7007); sys_bind(fd, &any);
      sys_sleep(200000000); static char text[1400]; int got = 0; while (sys_recv(fd, text, 1400, MSG_DONTWAIT) >= 0) got++;
      number(got > 50 && got < 200); print("done"); for (;;) sys_sleep(1000000000);`)
    const [sender, receiver] = machines.machines
    expect(machines.until(() => receiver.output.includes('done'), 3_000_000_000)).toBe(true)
    expect(printed(sender.output).split('\n')[0]).toBe('0 done')
    expect(printed(receiver.output)).toBe('1 done')
    expect(sender.frames.length).toBeGreaterThan(3000)
    expect(receiver.session.kernel.network.sockets.bufferedBytes).toBe(0)
  })

  it('a cable that is pulled out loses frames and blocks nobody', async () => {
    const machines = await pair(`
      int fd = sys_socket(AF_INET, SOCK_DGRAM, 0); struct atoll_address peer = at(10, 0, 0, 2, 7007); char text[8] = {0};
      sys_setsockopt(fd, SO_RCVTIMEO, 100000000);
      for (int i = 0; i < 60; i++) { sys_sendto(fd, "x", 1, 0, &peer); int64_t n = sys_recv(fd, text, 8, 0); print(n == 1 ? "+" : "-"); }
      print("done"); sys_sleep(1000000000);`, SERVER)
    const [client] = machines.machines
    machines.until(() => printed(client.output).length >= 5, 1_000_000_000)
    client.session.machine.nic?.setLink(false)
    machines.advance(machines.nowNs + 2_000_000_000)
    client.session.machine.nic?.setLink(true)
    expect(machines.until(() => client.output.includes('done'), 10_000_000_000)).toBe(true)
    expect(printed(client.output).split('\n')[0]).toMatch(/^\++-{15,}\++done$/)
    expect(client.output).toMatch(/e1000: link down\n(?:.*\n)*.*e1000: link up/)
  })
})

describe('POSIX programs', () => {
  const SOURCE = (body: string): string => `
    #include <arpa/inet.h>
    #include <errno.h>
    #include <stdio.h>
    #include <string.h>
    #include <sys/socket.h>
    #include <sys/time.h>
    #include <sys/uio.h>
    #include <unistd.h>
    #include <sys/utsname.h>
    int main(void) { ${body} }`

  it('use sockets as on Linux', async () => {
    const server = SOURCE(`
      int fd = socket(AF_INET, SOCK_DGRAM, 0), on = 1; struct sockaddr_in any = {AF_INET, htons(7007)}, from;
      socklen_t length = sizeof from; printf("%d ", setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
      printf("%d\\n", bind(fd, (void *)&any, sizeof any));
      char text[100]; for (;;) {
        ssize_t n = recvfrom(fd, text, sizeof text - 1, 0, (void *)&from, &length); text[n] = 0;
        char reply[200]; snprintf(reply, sizeof reply, "%s said %s", inet_ntoa(from.sin_addr), text);
        sendto(fd, reply, strlen(reply), 0, (void *)&from, length);
      }`)
    const client = SOURCE(`
      int fd = socket(AF_INET, SOCK_DGRAM, 0); struct sockaddr_in peer = {AF_INET, htons(7007)}, me;
      inet_aton("10.0.0.2", &peer.sin_addr);
      printf("%d\\n", connect(fd, (void *)&peer, sizeof peer)); socklen_t length = sizeof me; getsockname(fd, (void *)&me, &length);
      printf("%u %d\\n", length, ntohs(me.sin_port) >= 49152); getpeername(fd, (void *)&me, &length); puts(inet_ntoa(me.sin_addr));
      char text[100] = {0}; struct iovec parts[2] = {{"he", 2}, {"llo", 3}}; printf("%zd\\n", writev(fd, parts, 2));
      recv(fd, text, 99, 0); puts(text);
      struct timeval limit = {0, 50000}; setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit); errno = 0;
      printf("%zd ", recv(fd, text, 99, 0)); printf("%d\\n", errno == EAGAIN);
      int type, broadcast; length = sizeof type; getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length); printf("%d\\n", type == SOCK_DGRAM);
      struct msghdr message = {0}; struct sockaddr_in from; char a[4] = {0}, b[100] = {0}; struct iovec in[2] = {{a, 3}, {b, 99}};
      send(fd, "again", 5, 0); message.msg_name = &from; message.msg_namelen = sizeof from; message.msg_iov = in; message.msg_iovlen = 2;
      ssize_t n = recvmsg(fd, &message, 0); printf("%zd %s|%s %s\\n", n, a, b, inet_ntoa(from.sin_addr));
      printf("%d ", socket(AF_INET, SOCK_STREAM, 0)); printf("%d\\n", errno == EPROTONOSUPPORT);
      struct sockaddr_in all = {AF_INET, htons(1), {0xffffffff}}; printf("%zd ", sendto(fd, "x", 1, 0, (void *)&all, sizeof all));
      printf("%d ", errno == EACCES); broadcast = 1; setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &broadcast, sizeof broadcast);
      printf("%zd\\n", sendto(fd, "x", 1, 0, (void *)&all, sizeof all)); struct utsname name; uname(&name);
      puts(name.nodename); puts("done");
      fflush(stdout); sleep(1);`)
    const [a, b] = await Promise.all([build('test.c', client), build('test.c', server)])
    const machines = new JoinedMachines([options(a, 1, '10.0.0.1/24'), options(b, 2, '10.0.0.2/24')])
    const [first, second] = machines.machines
    expect(machines.until(() => first.output.includes('done'), 5_000_000_000)).toBe(true)
    expect(printed(second.output)).toBe('0 0')
    expect(printed(first.output).split('\n').slice(0, 12)).toEqual([
      '0', '16 1', '10.0.0.2', '5', '10.0.0.1 said hello', '-1 1', '1', '19 10.|0.0.1 said again 10.0.0.2', '-1 1', '-1 1 1', 'node1',
      'done',
    ])
  })
})
