/*
 * Two producers and a consumer over a message queue. Unlike a pipe, a queue keeps messages whole: one write is one message,
 * and one read receives one. It has room for 16, so a producer that is too fast sleeps until the consumer has caught up.
 */
#include <text.h>

enum { KEY = 42, PRODUCERS = 2, MESSAGES = 50 };

struct message {
  int producer, number;
};

static void produce(int producer) {
  int queue = sys_queue(KEY);
  for (int number = 1; number <= MESSAGES; number++) {
    struct message message = {producer, number};
    sys_write(queue, &message, sizeof message);
  }
  sys_exit(0);
}

void _start(void) {
  /* The consumer opens the queue first: it goes with its last descriptor, and messages that wait in it too. */
  int queue = sys_queue(KEY);
  int started = 0, in_order = 1, last[PRODUCERS] = {0}, sum[PRODUCERS] = {0};
  for (; queue >= 0 && started < PRODUCERS; started++) {
    int child = sys_fork();
    if (child == 0) produce(started);
    if (child < 0) break;
  }
  if (started < PRODUCERS) {
    print("ipc_demo: cannot start\n");
    sys_exit(1);
  }
  for (int received = 0; received < PRODUCERS * MESSAGES; received++) {
    struct message message;
    sys_read(queue, &message, sizeof message);
    in_order &= message.number == ++last[message.producer];
    sum[message.producer] += message.number;
  }
  for (int producer = 0; producer < PRODUCERS; producer++) {
    sys_wait(-1, 0, 0);
    print("producer ");
    print_number(producer);
    print(": ");
    print_number(last[producer]);
    print(" messages, sum ");
    print_number(sum[producer]);
    print("\n");
  }
  print(in_order ? "each producer's in order\n" : "out of order\n");
  sys_exit(!in_order);
}
