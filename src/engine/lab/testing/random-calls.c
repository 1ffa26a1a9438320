/*
 * Random system calls through both doors. Process 1 starts children that make them, waits a while, and ends whatever is left, so that
 * at its own end nobody is there who could still hold anything.
 *
 *   random-calls run SEED ROUNDS OPERATIONS
 *
 * Started with anything else, as the calls that it makes start it, it is a child.
 */
#include <atoll.h>
#include <text.h>

enum { CHILDREN = 4, ROUND_NS = 40000000, PID_MAX = 32768, MODULES = 8, MODULE_BYTES = 8192, PAGE = 4096, AREA = 8 * PAGE, POINTERS = 24 };

static uint64_t state;
static uint64_t next(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state * 2685821657736338717ull;
}
static uint64_t below(uint64_t limit) { return (next() >> 16) % limit; }
static int chance(uint64_t of) { return below(of) == 0; }

static int64_t atoll_call(uint64_t number, const uint64_t *a) { return atoll_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]); }

static int64_t linux_call(uint64_t number, const uint64_t *a) {
  register uint64_t r10 __asm__("r10") = a[3];
  register uint64_t r8 __asm__("r8") = a[4];
  register uint64_t r9 __asm__("r9") = a[5];
  int64_t result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

static unsigned char area[AREA] __attribute__((aligned(4096)));
static const unsigned char constants[PAGE] __attribute__((aligned(4096))) = "read only";
static unsigned char modules[MODULES][MODULE_BYTES];
static uint32_t module_bytes[MODULES];
static char deep[700];
static uint64_t mapped[8];
/* Descriptors of one kind, the latest ones. */
static int sockets[4], directories[4], queues[4];

static const char *const paths[] = {
    "/bin/random", "/bin/true", "/m/0", "/m/1", "/m/2", "/m/3", "/m/4", "/m/5", "/dev/null", "/dev/zero", "/dev/console", "/proc/processes",
    "/proc/modules", "/proc/drops", "/proc", "/dev", "/", "", ".", "..", "a", "b", "c", "a/b", "a/b/c", "../a", "/a", "/b", "/a/b", "/bin/bad",
    "/bin/../a/./b/..", "a/", "/nowhere/x", "//", "/bin", "/m", deep, "\xff\xfe\x80", "x\ny"};
static const char *const functions[] = {"run", "factorial", "add", "get_magic_number", "spin", "trap", "grow", "deep", "_start", "", "\xff"};

enum { COUNT_PATHS = sizeof paths / sizeof *paths, COUNT_FUNCTIONS = sizeof functions / sizeof *functions };

/* Numbers at which something changes. */
static uint64_t edge(void) {
  static const uint64_t edges[] = {
      0, 1, 2, 3, 7, 8, 15, 16, 255, 256, 4095, 4096, 4097, 65535, 65536, 1 << 20, 1 << 26, 0x7fffffff, 0x80000000, 0xffffffff, 1ull << 32,
      1ull << 40, (1ull << 47) - 4096, (1ull << 47) - 1, 1ull << 47, (1ull << 53) - 1, 1ull << 53, (1ull << 53) + 1, 1ull << 62,
      (1ull << 63) - 1, 1ull << 63, -1ull, -2ull, -100ull, -4096ull, 0xffffffff80000000, 0xffffffff80100000, 0xffff800000000000,
      0x7fffff7fe000, 0x7fffff7ff000, 0x10000, 0xffff, 0x200000};
  return edges[below(sizeof edges / sizeof *edges)];
}

static uint64_t pointer(void) {
  switch (below(12)) {
    case 0: return edge();
    case 1: return next();
    case 2: return (uint64_t)constants + below(PAGE);
    case 3: return (uint64_t)&area[AREA] - below(40);
    case 4: return (uint64_t)__builtin_frame_address(0) - below(65536);
    case 5: return mapped[below(8)] + below(3) * (PAGE - 8);
    case 6: return (uint64_t)pointer & ~0xfffull;
    case 7: return (uint64_t)__builtin_frame_address(0) & ~0xfffull;
    default: return (uint64_t)&area[below(AREA / 64) * 64];
  }
}
static uint64_t number(void) {
  switch (below(4)) {
    case 0: return edge();
    case 1: return next();
    default: return below(300);
  }
}
static uint64_t length(void) {
  switch (below(8)) {
    case 0: return edge();
    case 1: return below(200000);
    case 2: return below(PAGE * 3);
    default: return below(128);
  }
}
static uint64_t descriptor(void) { return chance(16) ? (uint64_t)queues[below(4)] : chance(12) ? edge() : chance(20) ? below(300) : below(14); }
static uint64_t process_id(void) {
  switch (below(6)) {
    case 0: return 0;
    case 1: return edge();
    case 2: return 1;
    case 3: return sys_getpid();
    default: return sys_getpid() + below(20) - 10;
  }
}

static void write_address(unsigned char *address) {
  static const unsigned char hosts[][4] = {{127, 0, 0, 1}, {10, 0, 0, 1}, {10, 0, 0, 2}, {10, 0, 0, 255}, {255, 255, 255, 255}, {0, 0, 0, 0},
                                           {10, 0, 0, 77}, {224, 0, 0, 1}, {8, 8, 8, 8}, {169, 254, 3, 4}, {127, 0, 0, 1}, {127, 9, 9, 9}};
  address[0] = chance(10) ? below(256) : chance(20) ? 0 : 2;
  address[1] = 0;
  address[2] = chance(8) ? below(256) : 0;
  address[3] = below(8);
  const unsigned char *host = hosts[below(sizeof hosts / 4)];
  for (int i = 0; i < 4; i++) address[4 + i] = chance(20) ? below(256) : host[i];
}

/* What calls read through pointers, somewhere in the area: so that a pointer into it often finds what the call looks for. */
static void furnish(void) {
  uint64_t *words = (uint64_t *)&area[below(AREA / 64 - 8) * 64];
  switch (below(9)) {
    case 0: /* an array of pointers to texts, or of struct iovec */
      for (int i = 0; i < POINTERS; i++) words[i] = chance(2) ? pointer() : length();
      if (chance(2)) for (int i = 0; i < POINTERS; i++) words[i] = i == POINTERS - 1 ? 0 : (uint64_t)paths[below(COUNT_PATHS)];
      break;
    case 1: write_address((unsigned char *)words); break;
    case 2: /* struct msghdr */
      words[0] = chance(2) ? 0 : pointer();
      words[1] = chance(2) ? 16 : number();
      words[2] = (uint64_t)&area[below(AREA / 64) * 64];
      words[3] = chance(8) ? number() : below(6);
      words[4] = words[5] = 0;
      break;
    case 3: /* a time that passes */
      words[0] = chance(20) ? number() : 0;
      words[1] = below(2000000);
      break;
    case 4: /* an echo request */
      for (int i = 0; i < 8; i++) words[i] = next();
      *(unsigned char *)words = chance(8) ? below(256) : 8;
      ((unsigned char *)words)[1] = 0;
      break;
    case 5: for (int i = 0; i < 8; i++) words[i] = edge(); break;
    case 6: for (int i = 0; i < 8; i++) words[i] = below(4); break;
    default: for (int i = 0; i < 8; i++) words[i] = next(); break;
  }
}

/*
 * What the arguments of a call are, a letter each: d descriptor, b buffer, l length, p path, a array of pointers, n number, m module,
 * S socket, A address of one, D directory, f name of a function, i process, g flags, k signal, o protection, t short time in ns, s options, w a module's bytes.
 */
struct call {
  uint16_t number;
  const char *arguments;
};

static const struct call atoll_calls[] = {
    {SYS_EXIT, "n"}, {SYS_YIELD, ""}, {SYS_LOG, "bl"}, {SYS_MMAP, "zlo"}, {SYS_FORK, ""}, {SYS_EXEC, "paa"}, {SYS_WAIT, "ibs"},
    {SYS_READ, "dbl"}, {SYS_WRITE, "dbl"}, {SYS_OPEN, "pgn"}, {SYS_CLOSE, "d"}, {SYS_STAT, "pb"}, {SYS_WASM_LOAD, "wlp"},
    {SYS_WASM_EXEC, "mfbsb"}, {SYS_SOCKET, "2h0"}, {SYS_BIND, "SA"}, {SYS_LISTEN, "Sn"}, {SYS_ACCEPT, "SA"}, {SYS_CONNECT, "SA"},
    {SYS_SEND, "SBlx"}, {SYS_RECV, "Sblx"}, {SYS_SENDTO, "SBlxA"}, {SYS_RECVFROM, "SblxA"}, {SYS_GETPID, ""}, {SYS_CLOCK, ""},
    {SYS_SLEEP, "t"}, {SYS_MUNMAP, "zl"}, {SYS_SEEK, "dns"}, {SYS_TTYMODE, "ds"}, {30, "nnn"}, {SYS_PIPE, "b"}, {SYS_DUP, "dd"},
    {SYS_KILL, "ik"}, {SYS_GETPPID, ""}, {SYS_SETGROUP, "ii"}, {SYS_FOREGROUND, "i"}, {SYS_IGNORE, "ks"}, {SYS_UNLINK, "p"},
    {SYS_MKDIR, "pn"}, {SYS_RMDIR, "p"}, {SYS_RENAME, "pp"}, {SYS_READDIR, "Dbl"}, {SYS_CHDIR, "p"}, {SYS_GETCWD, "bl"}, {SYS_QUEUE, "s"},
    {SYS_WASM_UNLOAD, "m"}, {SYS_WASM_MAIN, ""}, {SYS_SETSOCKOPT, "SOt"}, {SYS_SOCKNAME, "Sb"}, {62, "sb"}, {63, "bl"}, {64, "nnnnnn"}};

static const struct call linux_calls[] = {
    {0, "dbl"}, {1, "dbl"}, {2, "pgn"}, {3, "d"}, {4, "pb"}, {5, "db"}, {6, "pb"}, {8, "dns"}, {9, "zloydn"}, {10, "zlo"}, {11, "zl"},
    {12, "z"}, {13, "kbb"}, {14, "sbb8"}, {16, "djb"}, {19, "dbs"}, {20, "dbs"}, {21, "ps"}, {22, "b"}, {24, ""}, {25, "zlls"}, {32, "d"},
    {33, "dd"}, {35, "b"}, {39, ""}, {41, "2h0"}, {42, "SA6"}, {43, "Sbb"}, {44, "SBlxA6"}, {45, "Sblxbb"}, {46, "Sbx"}, {47, "Sbx"},
    {49, "SA6"}, {50, "Sn"}, {51, "Sbb"}, {52, "Sbb"}, {54, "S1OB6"}, {55, "S1OBb"}, {56, "cb"}, {57, ""}, {58, ""}, {59, "paa"}, {60, "n"},
    {61, "ibsb"}, {62, "ik"}, {63, "b"}, {72, "dnn"}, {79, "bl"}, {80, "p"}, {82, "pp"}, {83, "pn"}, {84, "p"}, {87, "p"}, {102, ""},
    {109, "ii"}, {110, ""}, {158, "qb"}, {186, ""}, {200, "ik"}, {204, "ilb"}, {217, "Dbl"}, {218, "b"}, {228, "sb"}, {231, "n"},
    {234, "iik"}, {257, "npgn"}, {262, "npbn"}, {288, "dbbn"}, {292, "ddg"}, {293, "bg"}, {302, "isbb"}, {318, "bl"}};

static uint64_t argument(char kind) {
  if (chance(16)) return chance(2) ? number() : pointer();
  switch (kind) {
    case 'd': return descriptor();
    case 'S': return chance(10) ? descriptor() : (uint64_t)sockets[below(4)];
    case 'D': return chance(10) ? descriptor() : (uint64_t)directories[below(4)];
    case 'A': {
      unsigned char *address = &area[below(AREA / 64) * 64];
      write_address(address);
      return chance(30) ? pointer() : chance(10) ? 0 : (uint64_t)address;
    }
    case 'B': return (uint64_t)&area[below(AREA / 64) * 64];
    case '6': return chance(20) ? number() : 16;
    case 'O': return chance(10) ? number() : chance(2) ? 6 : chance(2) ? 20 : 2;
    case 'b': return pointer();
    case 'l': return length();
    case 'p': return chance(20) ? pointer() : (uint64_t)paths[below(COUNT_PATHS)];
    case 'a': return chance(2) ? 0 : pointer();
    case 'm': return below(6);
    case 'f': return chance(20) ? pointer() : (uint64_t)functions[below(COUNT_FUNCTIONS)];
    case 'i': return process_id();
    case 'g': {
      uint64_t flags = below(3);
      if (chance(2)) flags |= O_CREAT;
      if (chance(6)) flags |= O_TRUNC;
      if (chance(4)) flags |= 04000;
      if (chance(8)) flags |= O_APPEND;
      if (chance(8)) flags |= 02000000;
      return chance(10) ? number() : flags;
    }
    case 'k': return below(66);
    case 'o': return chance(4) ? below(8) : 3;
    case 'y': return 0x22 | (chance(4) ? 0x10 : 0) | (chance(8) ? 0x100000 : 0);
    case 't': return chance(30) ? number() : below(1000000);
    case 's': return below(5);
    case 'x': return chance(6) ? below(4) * 0x20 + below(2) * 2 : 0x40;
    case 'z': return chance(2) ? 0 : chance(8) ? pointer() & ~0xfffull : mapped[below(8)];
    case 'j': return 0x5401 + below(24);
    case 'c': return chance(2) ? 17 : chance(2) ? 0x4111 : number();
    case 'q': return 0x1001 + below(5);
    case 'h': return (chance(12) ? 1 : 2) | (chance(2) ? 04000 : 0) | (chance(8) ? 02000000 : 0);
    case 'w': return (uint64_t)modules[below(MODULES)];
    case '0': return chance(4) ? 1 : 0;
    case '1': return 1;
    case '2': return 2;
    case '8': return 8;
    default: return number();
  }
}

/* Calls after which the program would be gone, or which would make more programs than the machine can run in a round. */
static int is_rare(int is_linux, uint64_t n) {
  if (is_linux) return n == 60 || n == 231 || n == 59 || n == 57 || n == 58 || n == 56 || n == 62 || n == 200 || n == 234;
  return n == SYS_EXIT || n == SYS_EXEC || n == SYS_FORK || n == SYS_KILL || n == SYS_WASM_MAIN;
}

static void call_something(void) {
  uint64_t a[6];
  int is_linux = chance(2);
  uint64_t n;
  if (chance(12)) {
    n = chance(8) ? edge() : below(400);
    for (int i = 0; i < 6; i++) a[i] = chance(3) ? number() : chance(2) ? pointer() : descriptor();
  } else {
    const struct call *call = is_linux ? &linux_calls[below(sizeof linux_calls / sizeof *linux_calls)]
                                       : &atoll_calls[below(sizeof atoll_calls / sizeof *atoll_calls)];
    n = call->number;
    const char *kinds = call->arguments;
    for (int i = 0; i < 6; i++) a[i] = *kinds != '\0' ? argument(*kinds++) : number();
    if (kinds[-1] != 'z' && n == (is_linux ? 9 : SYS_MMAP) && a[1] > 1 << 22) a[1] = below(1 << 20);
  }
  if (!is_linux && n == SYS_WASM_LOAD && a[0] >= (uint64_t)modules && a[0] < (uint64_t)&modules[MODULES])
    if (!chance(8)) a[1] = module_bytes[(a[0] - (uint64_t)modules) / MODULE_BYTES];
  if (!is_linux && n == SYS_WASM_EXEC && !chance(8)) {
    a[0] = 1 + below(2);
    a[3] = below(3);
  }
  if (is_rare(is_linux, n) && !chance(24)) return;
  /* Zeros are read for as long as there is room, which takes its time. */
  if (n == (is_linux ? 1 : SYS_WRITE) && a[0] < 3 && a[2] > 64) a[2] = below(64);
  if (!is_linux && n == SYS_LOG && a[1] > 64) a[1] = below(64);
  uint64_t kept = state;
  int64_t result = is_linux ? linux_call(n, a) : atoll_call(n, a);
  state = kept ^ (chance(3) ? (uint64_t)sys_getpid() << 32 : 0);
  if (state == 0) state = 1;
  if (n == (is_linux ? 9 : SYS_MMAP) && result > 0) mapped[below(8)] = result;
  if (n == (is_linux ? 41 : SYS_SOCKET) && result >= 0) sockets[below(4)] = result;
  if (!is_linux && n == SYS_QUEUE && result >= 0) queues[below(4)] = result;
  if (n == (is_linux ? 2 : SYS_OPEN) && result >= 0 && chance(4)) directories[below(4)] = result;
  if (n == (is_linux ? 57 : SYS_FORK)) state = state * 6364136223846793005ull + sys_getpid();
}

/* Does in a child what ends it, or may. */
static void do_harm(void) {
  int child = sys_fork();
  if (child != 0) return;
  switch (below(6)) {
    case 0: { /* random code */
      unsigned char *code = sys_mmap(0, PAGE, PROT_READ | PROT_WRITE);
      if ((int64_t)code < 0) break;
      for (int i = 0; i < 256; i++) code[i] = below(256);
      static const unsigned char openings[][4] = {{0x0f, 0x05}, {0xcd, 0x80}, {0x9d}, {0xcf}, {0x0f, 0x34}, {0x48, 0xcf}, {0xf4}, {0xcc}};
      for (int i = 0; i < 4; i++) {
        const unsigned char *opening = openings[below(8)];
        for (int j = 0; j < 2; j++) if (opening[j] != 0) code[i * 16 + j] = opening[j];
      }
      uint64_t a[6] = {(uint64_t)code, PAGE, 5, 0, 0, 0};
      linux_call(10, a);
      if (chance(3)) __asm__ volatile("pushfq; orl $0x40100, (%%rsp); popfq" ::: "memory");
      ((void (*)(void))code)();
      break;
    }
    case 1: { /* a stack pointer that is none, then a call */
      uint64_t stack = pointer();
      __asm__ volatile("movq %0, %%rsp; movl $24, %%eax; int $0x80; movl $39, %%eax; syscall; push %%rax; ret" ::"r"(stack) : "memory");
      break;
    }
    case 2: *(volatile char *)pointer() = 1; break;
    case 3: { /* a file that nearly is a program */
      int from = sys_open("/bin/true", O_RDONLY, 0);
      int64_t bytes = sys_read(from, area, AREA);
      for (int i = below(6); bytes > 0 && i >= 0; i--) area[below(chance(4) ? bytes : 300 < bytes ? 300 : bytes)] = chance(3) ? 255 : below(256);
      int to = sys_open("/bin/bad", O_WRONLY | O_CREAT | O_TRUNC, 0755);
      sys_write(to, area, bytes > 0 && chance(4) ? below(bytes) : bytes);
      sys_close(to);
      char *arguments[] = {"bad", 0};
      sys_exec("/bin/bad", arguments, 0);
      break;
    }
    case 4: { /* a module that nearly is one */
      int m = below(MODULES);
      for (int i = below(4); i >= 0 && module_bytes[m] > 0; i--) modules[m][below(module_bytes[m])] = below(256);
      int id = sys_wasm_load(modules[m], module_bytes[m], chance(2) ? 0 : "bad");
      int32_t words[8] = {next(), next()};
      for (int i = 0; i < COUNT_FUNCTIONS && id > 0; i++) sys_wasm_exec(id, functions[i], words, below(3), words);
      break;
    }
    default: { /* everything that is to be had, of one kind */
      int kind = below(6);
      for (int i = 0; i < 2000; i++) {
        int64_t result = kind == 0   ? sys_socket(AF_INET, SOCK_DGRAM, 0)
                         : kind == 1 ? sys_queue(next())
                         : kind == 2 ? sys_pipe((int *)area)
                         : kind == 3 ? (int64_t)sys_mmap(0, PAGE << below(8), PROT_READ | PROT_WRITE)
                         : kind == 4 ? sys_wasm_load(modules[i % MODULES], module_bytes[i % MODULES], 0)
                                     : sys_write(sys_open("/full", O_WRONLY | O_CREAT | O_APPEND, 0644), area, AREA);
        if (kind == 3 && result > 0) *(volatile char *)result = 1;
        if (result < 0) break;
      }
      for (int i = 0; i < 50; i++) call_something();
    }
  }
  sys_exit(1);
}

__attribute__((noreturn)) static void child(uint64_t seed, int64_t operations) {
  state = seed * 0x9e3779b97f4a7c15ull + 1;
  if (state == 0) state = 1;
  for (size_t i = 0; i < sizeof deep - 1; i++) deep[i] = i % 2 ? '/' : 'a';
  for (int m = 0; m < MODULES; m++) {
    char path[] = "/m/0";
    path[3] = '0' + m;
    int fd = sys_open(path, O_RDONLY, 0);
    if (fd < 0) continue;
    int64_t bytes = sys_read(fd, modules[m], MODULE_BYTES);
    module_bytes[m] = bytes < 0 ? 0 : bytes;
    sys_close(fd);
  }
  for (int i = 0; i < 16; i++) furnish();
  for (int i = 0; i < 4; i++) {
    directories[i] = sys_open(i % 2 ? "/" : "/m", O_RDONLY, 0);
    sockets[i] = sys_socket(AF_INET, SOCK_DGRAM | (i % 2 ? SOCK_NONBLOCK : 0), i == 3 ? IPPROTO_ICMP : 0);
    queues[i] = sys_queue(i);
    sys_setsockopt(sockets[i], SO_BROADCAST, i % 2);
  }
  for (int m = 0; m < 2; m++) if (chance(2)) sys_wasm_load(modules[m], module_bytes[m], "loaded");
  for (int signal = 1; signal <= 64; signal++) if (!chance(5)) sys_ignore(signal, 0);
  for (int64_t i = 0; i < operations; i++) {
    if (chance(4)) furnish();
    if (chance(150)) do_harm();
    call_something();
  }
  sys_exit(0);
}

static void end_everybody(void) {
  /* Nobody can have a higher number than who is made now, unless they begin again from 2. */
  for (int again = 0, last; again < 2; again++) {
    while ((last = sys_fork()) < 0) for (int pid = 2; pid < PID_MAX; pid++) sys_kill(pid, SIGKILL);
    if (last == 0) sys_exit(0);
    for (int pid = 2; pid <= last; pid++) sys_kill(pid, SIGKILL);
  }
  while (sys_wait(-1, 0, 0) > 0) {}
}

void _start(int argc, char **argv) {
  if (argc != 5 || !text_equal(argv[1], "run")) child(sys_clock() + sys_getpid(), 100);
  uint64_t seed = number_of_text(argv[2]);
  int64_t rounds = number_of_text(argv[3]);
  int64_t operations = number_of_text(argv[4]);
  for (int signal = 1; signal <= 64; signal++) sys_ignore(signal, 1);
  for (int64_t round = 0; round < rounds; round++) {
    for (int i = 0; i < CHILDREN; i++) if (sys_fork() == 0) child(seed * 1000003 + round * 101 + i, operations);
    int64_t end = sys_clock() + ROUND_NS;
    while (sys_clock() < end && sys_wait(-1, 0, WAIT_POLL) >= 0) sys_sleep(1000000);
    end_everybody();
  }
  print("\nall ended\n");
  sys_exit(0);
}
