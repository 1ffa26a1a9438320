import { expect, it } from 'vitest'
import { Random } from '../random/random.ts'
import { MachineSession } from './session.ts'
import { boot, build } from './testing/programs.ts'

/** What a lab's windows rest on: that a machine which says that it is quiet is. */

const MS_NS = 1_000_000
const UNTIL_NS = 9_000 * MS_NS

/** Two processes that sleep for times of their own, send and print; a third computes now and then; one waits for the console. */
const PROGRAM = `#include <net.h>
static void talk(int64_t pause, int rounds) {
  struct atoll_address all = address_of(ADDRESS_ALL, 7000);
  int fd = sys_socket(AF_INET, SOCK_DGRAM, 0);
  sys_setsockopt(fd, SO_BROADCAST, 1);
  for (int i = 0; i < rounds; i++) {
    sys_sleep(pause);
    if (i % 3 == 0) sys_sendto(fd, "hello", 5, 0, &all);
    print_number(i);
    print("\\n");
  }
  sys_exit(0);
}
void _start(void) {
  char line[64];
  if (sys_fork() == 0) talk(37 * NS_PER_MS + 123, 200);
  if (sys_fork() == 0) talk(411 * NS_PER_MS, 20);
  if (sys_fork() == 0)
    for (int round = 0;; round++) {
      for (volatile int i = 0; i < 200000; i++);
      sys_sleep(250 * NS_PER_MS);
    }
  for (;;) {
    int64_t got = sys_read(0, line, sizeof line);
    if (got <= 0) sys_exit(1);
    sys_write(1, line, (size_t)got);
  }
}
`

it.each([1, 2, 3])('says for how long nothing can be seen of it, and keeps its word (seed %i)', async (seed) => {
  const bytes = await build('user/test.c', PROGRAM)
  let quietUntilNs = 0
  let events = 0
  const happened = (timeNs: number): void => {
    events++
    // It was quiet up to the last promise, and this comes out of nothing that was put in since.
    if (timeNs < quietUntilNs) throw new Error(`something happened at ${timeNs} ns, which was to be quiet until ${quietUntilNs} ns`)
  }
  const session = new MachineSession({
    boot,
    program: { path: '/bin/test', bytes, args: [] },
    seed,
    network: { mac: Uint8Array.of(2, 0, 0, 0, 0, seed), hostname: 'quiet' },
    onConsoleByte: (_, timeNs) => happened(timeNs),
    onFrame: (_, timeNs) => happened(timeNs),
  })
  const random = new Random(seed)
  let calls = 0
  for (let nowNs = 0; nowNs < UNTIL_NS; calls++) {
    if (calls % 50 === 49) {
      session.type(new TextEncoder().encode('typed\n'))
      quietUntilNs = nowNs
    }
    // As a lab does: at least as far as nothing happens, and a little further.
    nowNs = Math.max(nowNs, quietUntilNs) + 1 + (random.next() % MS_NS)
    session.advance(nowNs)
    quietUntilNs = Math.max(nowNs, session.quietUntilNs)
  }
  expect(events).toBeGreaterThan(1000)
  // Ticks come every millisecond; most of the time it was quiet for far longer.
  expect(calls).toBeLessThan(UNTIL_NS / MS_NS / 4)
})
