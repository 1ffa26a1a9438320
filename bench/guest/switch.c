/* Two programs in ring 3 that take turns: int 0x80, another stack, another CR3, and a little memory touched on each side. */
#include "privileged.h"

enum { TURNS = 20000, PAGES = 8 };

static uint64_t other_top[512] __attribute__((aligned(4096)));
static uint8_t memory[2][PAGES][4096] __attribute__((aligned(4096)));
static uint8_t stacks[2][4096] __attribute__((aligned(16)));
uint64_t kept[2], tables[2], current, turns;
void handler(void);
__asm__(
    "handler: push %rax; push %rcx; push %rbx; push %rbp; push %rdx\n"
    "incq turns(%rip)\n"
    "mov current(%rip), %rax; lea kept(%rip), %rcx; mov %rsp, (%rcx,%rax,8)\n"
    "xor $1, %rax; mov %rax, current(%rip); mov (%rcx,%rax,8), %rsp\n"
    "lea tables(%rip), %rcx; mov (%rcx,%rax,8), %rcx; mov %rcx, %cr3\n"
    "lea task_stacks(%rip), %rcx; mov (%rcx,%rax,8), %rcx; mov %rcx, task+4(%rip)\n"
    "pop %rdx; pop %rbp; pop %rbx; pop %rcx; pop %rax; iretq");
uint64_t task_stacks[2];

static void take_turns(uint8_t (*pages)[4096]) {
  for (int i = 0; i < TURNS; i++) {
    for (int j = 0; j < PAGES; j++) pages[j][i & 255]++;
    __asm__ volatile("int $0x80" : : : "memory");
  }
  __asm__ volatile("int $0x81");
}

static void first(void) { take_turns(memory[0]); }
static void second(void) { take_turns(memory[1]); }

uint32_t work(void) {
  static uint8_t second_user_stack[4096] __attribute__((aligned(16)));
  become_kernel();
  set_gate(0x80, handler, GATE_USER);
  set_gate(0x81, end_user, GATE_USER);
  for (int i = 0; i < 512; i++) other_top[i] = top_table()[i];
  tables[0] = (uint64_t)top_table();
  tables[1] = (uint64_t)other_top;
  current = turns = 0;
  for (int i = 0; i < 2; i++) task_stacks[i] = (uint64_t)(stacks[i] + sizeof stacks[i]);
  task[1] = (uint32_t)task_stacks[0];
  task[2] = 0;
  /* The second one has not run yet: what the handler pops for it, and the frame behind. */
  uint64_t frame[10] = {0, 0, 0, 0, 0, (uint64_t)second, USER_CODE, 2, (uint64_t)(second_user_stack + sizeof second_user_stack), USER_DATA};
  uint64_t *stack = (uint64_t *)task_stacks[1] - 10;
  for (int i = 0; i < 10; i++) stack[i] = frame[i];
  kept[1] = (uint64_t)stack;
  run_user(first);
  use_top_table((void *)tables[0]);
  return (uint32_t)turns;
}
