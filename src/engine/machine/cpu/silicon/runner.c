/*
 * Executes cases on the processor this runs on, for comparison with the emulated one.
 *
 * usage: runner FILE, a file of `struct record`s (layout.ts says the same). Each one's state is loaded, its code
 * executed until it traps, and the state at the trap written back over it. Linux on x86-64 only.
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
#define PAGE 4096
#define DATA_BYTES (2 * PAGE)
#define WINDOW_OFFSET 0xf00
#define WINDOW_BYTES 512
/* The x87's part of FXSAVE's area, and where MXCSR and its mask lie in it. */
#define FX_BYTES 160
#define FX_MXCSR 24
#define FX_MXCSR_BYTES 8
#define XFEATURES 3 /* x87, SSE */
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

static void store(const ucontext_t *context) {
  const mcontext_t *machine = &context->uc_mcontext;
  for (int i = 0; i < 16; i++) current->gpr[i] = (uint64_t)machine->gregs[order[i]];
  current->rflags = (uint64_t)machine->gregs[REG_EFL];
  current->rip = (uint64_t)machine->gregs[REG_RIP];
  memcpy(current->xmm, machine->fpregs->_xmm, sizeof current->xmm);
  memcpy(current->window, DATA + WINDOW_OFFSET, WINDOW_BYTES);
  current->vector = (uint32_t)machine->gregs[REG_TRAPNO];
  current->error = (uint32_t)machine->gregs[REG_ERR];
  current->cr2 = (uint64_t)machine->gregs[REG_CR2];
  current->outside = outside();
  current->mxcsr = machine->fpregs->mxcsr;
  memcpy(current->fx, machine->fpregs, FX_BYTES);
  memset(current->fx + FX_MXCSR, 0, FX_MXCSR_BYTES);
}

static void load(ucontext_t *context) {
  mcontext_t *machine = &context->uc_mcontext;
  memset(DATA, 0, DATA_BYTES);
  memcpy(DATA + WINDOW_OFFSET, current->window, WINDOW_BYTES);
  memset(CODE, 0xcc, sizeof current->code);
  memcpy(CODE, current->code, current->code_length);
  for (int i = 0; i < 16; i++) machine->gregs[order[i]] = (long long)current->gpr[i];
  machine->gregs[REG_EFL] = (long long)current->rflags;
  machine->gregs[REG_RIP] = (long long)(uintptr_t)CODE;
  memcpy(machine->fpregs, current->fx, FX_MXCSR);
  memcpy(machine->fpregs->_st, current->fx + FX_MXCSR + FX_MXCSR_BYTES, FX_BYTES - FX_MXCSR - FX_MXCSR_BYTES);
  memcpy(machine->fpregs->_xmm, current->xmm, sizeof current->xmm);
  machine->fpregs->mxcsr = 0x1f80;
  /* The header of the extended state follows the 512 bytes of FXSAVE: say that neither part is in its initial state. */
  uint64_t features;
  memcpy(&features, (uint8_t *)machine->fpregs + 512, 8);
  features |= XFEATURES;
  memcpy((uint8_t *)machine->fpregs + 512, &features, 8);
}

static void trapped(int signal, siginfo_t *info, void *context) {
  (void)info;
  static int started;
  static struct record *ticked;
  if (signal == SIGALRM && ticked != current) {
    ticked = current;
    return;
  }
  if (started) {
    store(context);
    if (signal == SIGALRM) current->vector = ENDLESS;
    current++;
  }
  started = 1;
  if (current == end) _exit(0);
  load(context);
}

int main(int count, char **arguments) {
  if (count != 2) return 2;
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
  struct sigaction action = {.sa_sigaction = trapped, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  const int signals[] = {SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM};
  for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, 0);
  const struct itimerval second = {{1, 0}, {1, 0}};
  setitimer(ITIMER_REAL, &second, 0);
  __asm__ volatile("int3");
  return 4;
}
