/*
 * Executes cases on the processor this runs on, for comparison with the emulated one.
 *
 * usage: runner FILE [compatibility], a file of `struct record`s (layout.ts says the same). Each one's state is loaded, its
 * code executed until it traps or ends, in 64-bit or in compatibility mode, and the state then written back over it.
 * Linux on x86-64 only.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#define CODE ((uint8_t *)0x200000)
#define DATA ((uint8_t *)0x210000)
#define READ_ONLY ((uint8_t *)0x214000)
/* Behind the code and its INT3s: the way back to 64-bit mode, and to this program, which need not be in the lower 4 GiB. */
#define WAY_BACK (CODE + 0x800)
#define PAGE 4096
/* Linux's selectors for programs. */
#define COMPATIBILITY_CODE 0x23
#define LONG_CODE 0x33
#define USER_DATA 0x2b
#define DATA_BYTES (2 * PAGE)
#define WINDOW_OFFSET 0xf00
#define WINDOW_BYTES 512
/* The x87's part of FXSAVE's area, and where MXCSR and its mask lie in it. */
#define FX_BYTES 160
#define FX_MXCSR 24
#define FX_MXCSR_BYTES 8
/* Vector of a case that ran for a whole tick. */
#define ENDLESS 0xffffffff

struct record {
  uint64_t gpr[16]; /* in encoding order */
  uint64_t rflags, rip, code_length;
  uint8_t code[104];
  uint8_t xmm[16][16];
  uint8_t window[WINDOW_BYTES];
  uint32_t vector, error;
  uint64_t cr2;
  uint32_t outside;
  uint32_t mxcsr;
  uint8_t fx[FX_BYTES];
};
_Static_assert(sizeof(struct record) == 1208, "layout.ts says 1208 bytes");

static struct record *current, *end;

static const int order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                              REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

/* FNV-1a over the words of the data pages that are not in the window. */
static uint32_t outside(void) {
  uint32_t hash = 0x811c9dc5;
  for (int at = 0; at < DATA_BYTES; at += 4) {
    if (at >= WINDOW_OFFSET && at < WINDOW_OFFSET + WINDOW_BYTES) continue;
    uint32_t word;
    memcpy(&word, DATA + at, 4);
    hash = (hash ^ word) * 0x01000193;
  }
  return hash;
}

/* What `enter` loads and `landing` saves: registers in encoding order, flags, FXSAVE's area, and the runner's own stack pointer. */
__attribute__((used)) static uint64_t gpr[16], rflags, host_rsp;
/* Where `enter` jumps to: offset and selector. */
__attribute__((used)) static struct { uint32_t offset; uint16_t selector; } entry = {0x200000, LONG_CODE};
__attribute__((used, aligned(64))) static uint8_t area[512];

/* Loads the case's state and jumps to its code. What ends without a trap jumps to `landing`, the handler of a trap to `recover`. */
void enter(void);
extern const uint8_t landing[], recover[];
__asm__(
    "enter:\n"
    "  push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
    "  fxrstor64 area(%rip)\n"
    "  pushq rflags(%rip)\n"
    "  popfq\n"
    "  mov %rsp, host_rsp(%rip)\n"
    "  mov 8+gpr(%rip), %rcx; mov 16+gpr(%rip), %rdx; mov 24+gpr(%rip), %rbx; mov 32+gpr(%rip), %rsp\n"
    "  mov 40+gpr(%rip), %rbp; mov 48+gpr(%rip), %rsi; mov 56+gpr(%rip), %rdi; mov 64+gpr(%rip), %r8\n"
    "  mov 72+gpr(%rip), %r9; mov 80+gpr(%rip), %r10; mov 88+gpr(%rip), %r11; mov 96+gpr(%rip), %r12\n"
    "  mov 104+gpr(%rip), %r13; mov 112+gpr(%rip), %r14; mov 120+gpr(%rip), %r15; mov gpr(%rip), %rax\n"
    "  ljmpl *entry(%rip)\n"
    "landing:\n"
    "  mov %rax, gpr(%rip); mov %rcx, 8+gpr(%rip); mov %rdx, 16+gpr(%rip); mov %rbx, 24+gpr(%rip)\n"
    "  mov %rsp, 32+gpr(%rip); mov %rbp, 40+gpr(%rip); mov %rsi, 48+gpr(%rip); mov %rdi, 56+gpr(%rip)\n"
    "  mov %r8, 64+gpr(%rip); mov %r9, 72+gpr(%rip); mov %r10, 80+gpr(%rip); mov %r11, 88+gpr(%rip)\n"
    "  mov %r12, 96+gpr(%rip); mov %r13, 104+gpr(%rip); mov %r14, 112+gpr(%rip); mov %r15, 120+gpr(%rip)\n"
    "  mov host_rsp(%rip), %rsp\n"
    "  pushfq\n"
    "  popq rflags(%rip)\n"
    "  fxsave64 area(%rip)\n"
    "recover:\n"
    "  mov host_rsp(%rip), %rsp\n"
    "  cld\n"
    "  fninit\n"
    "  pushq $0x1f80\n"
    "  ldmxcsr (%rsp)\n"
    "  pop %rax\n"
    "  pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
    "  ret\n");

static volatile int trapped;
static int compatibility;

static void store_memory(void) {
  memcpy(current->window, DATA + WINDOW_OFFSET, WINDOW_BYTES);
  current->outside = outside();
  memset(current->fx + FX_MXCSR, 0, FX_MXCSR_BYTES);
}

static void trap(int signal, siginfo_t *info, void *context) {
  (void)info;
  static struct record *ticked;
  if (signal == SIGALRM && ticked != current) {
    ticked = current;
    return;
  }
  mcontext_t *machine = &((ucontext_t *)context)->uc_mcontext;
  for (int i = 0; i < 16; i++) current->gpr[i] = (uint64_t)machine->gregs[order[i]];
  current->rflags = (uint64_t)machine->gregs[REG_EFL];
  current->rip = (uint64_t)machine->gregs[REG_RIP];
  memcpy(current->xmm, machine->fpregs->_xmm, sizeof current->xmm);
  current->vector = signal == SIGALRM ? ENDLESS : (uint32_t)machine->gregs[REG_TRAPNO];
  current->error = (uint32_t)machine->gregs[REG_ERR];
  current->cr2 = (uint64_t)machine->gregs[REG_CR2];
  current->mxcsr = machine->fpregs->mxcsr;
  memcpy(current->fx, machine->fpregs, FX_BYTES);
  store_memory();
  trapped = 1;
  machine->gregs[REG_RIP] = (long long)(uintptr_t)recover;
  /* CS is in the lowest sixteen bits. */
  machine->gregs[REG_CSGSFS] = (machine->gregs[REG_CSGSFS] & ~0xffffll) | LONG_CODE;
  machine->gregs[REG_EFL] = 0x202;
}

static void run(void) {
  memset(DATA, 0, DATA_BYTES);
  memcpy(DATA + WINDOW_OFFSET, current->window, WINDOW_BYTES);
  memset(CODE, 0xcc, sizeof current->code);
  memcpy(CODE, current->code, current->code_length);
  /* Behind the code, where the emulated processor meets INT3, a jump: a signal for each case would take most of the time. */
  uint8_t *end_of_code = CODE + current->code_length;
  if (compatibility) {
    const uint32_t offset = (uint32_t)(uintptr_t)WAY_BACK;
    const uint16_t selector = LONG_CODE;
    *end_of_code = 0xea;
    memcpy(end_of_code + 1, &offset, sizeof offset);
    memcpy(end_of_code + 5, &selector, sizeof selector);
  } else {
    const int32_t distance = (int32_t)(WAY_BACK - (end_of_code + 5));
    *end_of_code = 0xe9;
    memcpy(end_of_code + 1, &distance, sizeof distance);
  }
  /* jmp [rip], and the address. */
  static const uint8_t jump[] = {0xff, 0x25, 0, 0, 0, 0};
  const uint8_t *address = landing;
  memcpy(WAY_BACK, jump, sizeof jump);
  memcpy(WAY_BACK + sizeof jump, &address, sizeof address);
  memcpy(gpr, current->gpr, sizeof gpr);
  rflags = current->rflags;
  memset(area, 0, sizeof area);
  memcpy(area, current->fx, FX_BYTES);
  memcpy(area + FX_MXCSR, &current->mxcsr, sizeof current->mxcsr);
  memcpy(area + FX_BYTES, current->xmm, sizeof current->xmm);
  trapped = 0;
  enter();
  if (trapped) return;
  memcpy(current->gpr, gpr, sizeof gpr);
  current->rflags = rflags;
  current->rip = (uint64_t)(uintptr_t)end_of_code + 1;
  memcpy(current->xmm, area + FX_BYTES, sizeof current->xmm);
  current->vector = 3;
  current->error = 0;
  current->cr2 = 0;
  memcpy(&current->mxcsr, area + FX_MXCSR, sizeof current->mxcsr);
  memcpy(current->fx, area, FX_BYTES);
  store_memory();
}

int main(int count, char **arguments) {
  if (count < 2) return 2;
  compatibility = count == 3 && strcmp(arguments[2], "compatibility") == 0;
  if (compatibility) {
    entry.selector = COMPATIBILITY_CODE;
    __asm__ volatile("mov %0, %%ds; mov %0, %%es" : : "r"(USER_DATA));
  }
  int file = open(arguments[1], O_RDWR);
  struct stat status;
  if (file < 0 || fstat(file, &status) != 0 || status.st_size == 0) return 2;
  current = mmap(0, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (current == MAP_FAILED) return 2;
  end = current + (size_t)status.st_size / sizeof *current;
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
  if (mmap(CODE, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, flags, -1, 0) != CODE) return 3;
  if (mmap(DATA, DATA_BYTES, PROT_READ | PROT_WRITE, flags, -1, 0) != DATA) return 3;
  if (mmap(READ_ONLY, PAGE, PROT_READ, flags, -1, 0) != READ_ONLY) return 3;
  /* Reading it gives the page its entry in the page table, without which a write faults as on a page that is not there. */
  (void)*(volatile uint8_t *)READ_ONLY;
  static uint8_t stack[1 << 16];
  const stack_t alternative = {.ss_sp = stack, .ss_size = sizeof stack};
  sigaltstack(&alternative, 0);
  struct sigaction action = {.sa_sigaction = trap, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  const int signals[] = {SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM};
  for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, 0);
  const struct itimerval second = {{1, 0}, {1, 0}};
  setitimer(ITIMER_REAL, &second, 0);
  for (; current != end; current++) run();
  return 0;
}
