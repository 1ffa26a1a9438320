/*
 * Atoll system calls for C programs. Generated from src/engine/kernel/syscall/table.ts; do not edit.
 *
 * int 0x80: number in rax, arguments in rdi rsi rdx r10 r8 r9, result in rax, -errno on failure, every other
 * register preserved. Beside a C library, include its headers before this one.
 */
#ifndef ATOLL_H
#define ATOLL_H

#include <stddef.h>
#include <stdint.h>

#define SYS_EXIT 1
#define SYS_YIELD 2
#define SYS_LOG 3
#define SYS_MMAP 4
#define SYS_FORK 5
#define SYS_EXEC 6
#define SYS_WAIT 7
#define SYS_READ 8
#define SYS_WRITE 9
#define SYS_OPEN 10
#define SYS_CLOSE 11
#define SYS_STAT 12
#define SYS_WASM_LOAD 13
#define SYS_WASM_EXEC 14
#define SYS_SOCKET 15
#define SYS_BIND 16
#define SYS_LISTEN 17
#define SYS_ACCEPT 18
#define SYS_CONNECT 19
#define SYS_SEND 20
#define SYS_RECV 21
#define SYS_SENDTO 22
#define SYS_RECVFROM 23
#define SYS_GETPID 24
#define SYS_CLOCK 25
#define SYS_SLEEP 26
#define SYS_MUNMAP 27
#define SYS_SEEK 28
#define SYS_TTYMODE 29
#define SYS_PIPE 31
#define SYS_DUP 32
#define SYS_KILL 33
#define SYS_GETPPID 34
#define SYS_SETGROUP 35
#define SYS_FOREGROUND 36
#define SYS_IGNORE 37
#define SYS_UNLINK 38
#define SYS_MKDIR 39
#define SYS_RMDIR 40
#define SYS_RENAME 41
#define SYS_READDIR 42
#define SYS_CHDIR 43
#define SYS_GETCWD 44
#define SYS_QUEUE 45
#define SYS_WASM_UNLOAD 46
#define SYS_WASM_MAIN 47
#define SYS_SETSOCKOPT 60
#define SYS_SOCKNAME 61
#define SYS_INTERFACE 62
#define SYS_HOSTNAME 63

#ifndef EPERM
#define EPERM 1 /* operation not permitted */
#endif
#ifndef ENOENT
#define ENOENT 2 /* no such file or directory */
#endif
#ifndef ESRCH
#define ESRCH 3 /* no such process */
#endif
#ifndef EINTR
#define EINTR 4 /* interrupted by a signal */
#endif
#ifndef EIO
#define EIO 5 /* input/output error */
#endif
#ifndef E2BIG
#define E2BIG 7 /* argument list too long */
#endif
#ifndef ENOEXEC
#define ENOEXEC 8 /* not a program this machine can run */
#endif
#ifndef EBADF
#define EBADF 9 /* bad file descriptor */
#endif
#ifndef ECHILD
#define ECHILD 10 /* no child processes */
#endif
#ifndef EAGAIN
#define EAGAIN 11 /* try again */
#endif
#ifndef ENOMEM
#define ENOMEM 12 /* out of memory */
#endif
#ifndef EACCES
#define EACCES 13 /* permission denied */
#endif
#ifndef EFAULT
#define EFAULT 14 /* bad address */
#endif
#ifndef EBUSY
#define EBUSY 16 /* device or resource busy */
#endif
#ifndef EEXIST
#define EEXIST 17 /* file exists */
#endif
#ifndef ENODEV
#define ENODEV 19 /* no such device */
#endif
#ifndef ENOTDIR
#define ENOTDIR 20 /* not a directory */
#endif
#ifndef EISDIR
#define EISDIR 21 /* is a directory */
#endif
#ifndef EINVAL
#define EINVAL 22 /* invalid argument */
#endif
#ifndef ENFILE
#define ENFILE 23 /* too many open files in the system */
#endif
#ifndef EMFILE
#define EMFILE 24 /* too many open files in the process */
#endif
#ifndef ENOTTY
#define ENOTTY 25 /* not a terminal */
#endif
#ifndef EFBIG
#define EFBIG 27 /* file too large */
#endif
#ifndef ENOSPC
#define ENOSPC 28 /* no space left on device */
#endif
#ifndef ESPIPE
#define ESPIPE 29 /* not seekable */
#endif
#ifndef EROFS
#define EROFS 30 /* read-only file system */
#endif
#ifndef EPIPE
#define EPIPE 32 /* broken pipe */
#endif
#ifndef ERANGE
#define ERANGE 34 /* result too large */
#endif
#ifndef ENAMETOOLONG
#define ENAMETOOLONG 36 /* file name too long */
#endif
#ifndef ENOSYS
#define ENOSYS 38 /* system call not available */
#endif
#ifndef ENOTEMPTY
#define ENOTEMPTY 39 /* directory not empty */
#endif
#ifndef ELOOP
#define ELOOP 40 /* too many symbolic links */
#endif
#ifndef EOVERFLOW
#define EOVERFLOW 75 /* value too large */
#endif
#ifndef ENOTSOCK
#define ENOTSOCK 88 /* not a socket */
#endif
#ifndef EDESTADDRREQ
#define EDESTADDRREQ 89 /* destination address required */
#endif
#ifndef EMSGSIZE
#define EMSGSIZE 90 /* message too long */
#endif
#ifndef ENOPROTOOPT
#define ENOPROTOOPT 92 /* socket option not available */
#endif
#ifndef EPROTONOSUPPORT
#define EPROTONOSUPPORT 93 /* protocol not supported */
#endif
#ifndef EOPNOTSUPP
#define EOPNOTSUPP 95 /* operation not supported */
#endif
#ifndef EAFNOSUPPORT
#define EAFNOSUPPORT 97 /* address family not supported */
#endif
#ifndef EADDRINUSE
#define EADDRINUSE 98 /* address in use */
#endif
#ifndef EADDRNOTAVAIL
#define EADDRNOTAVAIL 99 /* address not available */
#endif
#ifndef ENETUNREACH
#define ENETUNREACH 101 /* network unreachable */
#endif
#ifndef ECONNRESET
#define ECONNRESET 104 /* connection reset */
#endif
#ifndef EISCONN
#define EISCONN 106 /* already connected */
#endif
#ifndef ENOTCONN
#define ENOTCONN 107 /* not connected */
#endif
#ifndef ETIMEDOUT
#define ETIMEDOUT 110 /* timed out */
#endif
#ifndef ECONNREFUSED
#define ECONNREFUSED 111 /* connection refused */
#endif
#ifndef EHOSTUNREACH
#define EHOSTUNREACH 113 /* host unreachable */
#endif

/* Protection of mapped pages (SYS_MMAP) */
#ifndef PROT_NONE
#define PROT_NONE 0 /* no access */
#endif
#ifndef PROT_READ
#define PROT_READ 1 /* readable */
#endif
#ifndef PROT_WRITE
#define PROT_WRITE 2 /* writable, and so readable */
#endif
#ifndef PROT_EXEC
#define PROT_EXEC 4 /* executable; never together with PROT_WRITE */
#endif

/* Flags of SYS_OPEN */
#ifndef O_RDONLY
#define O_RDONLY 00 /* for reading */
#endif
#ifndef O_WRONLY
#define O_WRONLY 01 /* for writing */
#endif
#ifndef O_RDWR
#define O_RDWR 02 /* for both */
#endif
#ifndef O_CREAT
#define O_CREAT 0100 /* make the file if there is none */
#endif
#ifndef O_EXCL
#define O_EXCL 0200 /* with O_CREAT: EEXIST if there is one */
#endif
#ifndef O_TRUNC
#define O_TRUNC 01000 /* empty the file first */
#endif
#ifndef O_APPEND
#define O_APPEND 02000 /* every write goes to the end */
#endif
#ifndef O_DIRECTORY
#define O_DIRECTORY 0200000 /* ENOTDIR if it is no directory */
#endif

/* Where SYS_SEEK counts from */
#ifndef SEEK_SET
#define SEEK_SET 0 /* the start */
#endif
#ifndef SEEK_CUR
#define SEEK_CUR 1 /* the position */
#endif
#ifndef SEEK_END
#define SEEK_END 2 /* the end */
#endif

/* Modes of the console (SYS_TTYMODE) */
#ifndef TTY_CANONICAL
#define TTY_CANONICAL 0 /* lines, echoed and edited */
#endif
#ifndef TTY_RAW
#define TTY_RAW 1 /* bytes as they come */
#endif

/* Waiting for children (SYS_WAIT) */
#ifndef WAIT_POLL
#define WAIT_POLL 1 /* option: do not sleep */
#endif
#ifndef ENDED_BY_SIGNAL
#define ENDED_BY_SIGNAL 256 /* added to the signal in the status of a process that one ended */
#endif

/* Signals (SYS_KILL, SYS_IGNORE) */
#ifndef SIGINT
#define SIGINT 2 /* Ctrl-C */
#endif
#ifndef SIGILL
#define SIGILL 4 /* an instruction that does not exist */
#endif
#ifndef SIGABRT
#define SIGABRT 6 /* the program gave up */
#endif
#ifndef SIGFPE
#define SIGFPE 8 /* division by zero and the like */
#endif
#ifndef SIGKILL
#define SIGKILL 9 /* end at once; cannot be ignored */
#endif
#ifndef SIGSEGV
#define SIGSEGV 11 /* memory that is not there or not allowed */
#endif
#ifndef SIGPIPE
#define SIGPIPE 13 /* nobody reads what is written */
#endif
#ifndef SIGTERM
#define SIGTERM 15 /* please end */
#endif
#ifndef SIGCHLD
#define SIGCHLD 17 /* a child ended; ignored by nature */
#endif

/* Sockets (SYS_SOCKET) */
#ifndef AF_UNSPEC
#define AF_UNSPEC 0 /* no address */
#endif
#ifndef AF_INET
#define AF_INET 2 /* IPv4 */
#endif
#ifndef SOCK_STREAM
#define SOCK_STREAM 1 /* a stream of bytes; not in this version */
#endif
#ifndef SOCK_DGRAM
#define SOCK_DGRAM 2 /* datagrams */
#endif
#ifndef SOCK_NONBLOCK
#define SOCK_NONBLOCK 2048 /* added to the type: calls never sleep */
#endif
#ifndef SOCK_CLOEXEC
#define SOCK_CLOEXEC 524288 /* added to the type: SYS_EXEC closes it */
#endif
#ifndef IPPROTO_ICMP
#define IPPROTO_ICMP 1 /* echo requests and replies */
#endif
#ifndef IPPROTO_UDP
#define IPPROTO_UDP 17 /* UDP */
#endif

/* Flags of sending and receiving */
#ifndef MSG_PEEK
#define MSG_PEEK 2 /* leave the datagram in the queue */
#endif
#ifndef MSG_TRUNC
#define MSG_TRUNC 32 /* return the whole length */
#endif
#ifndef MSG_DONTWAIT
#define MSG_DONTWAIT 64 /* EAGAIN instead of sleeping */
#endif
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 16384 /* accepted; datagrams raise no signal */
#endif

/* Socket options (SYS_SETSOCKOPT) */
#ifndef SO_REUSEADDR
#define SO_REUSEADDR 2 /* share a port with sockets that share it too */
#endif
#ifndef SO_BROADCAST
#define SO_BROADCAST 6 /* may send to everybody */
#endif
#ifndef SO_RCVTIMEO
#define SO_RCVTIMEO 20 /* longest sleep of a receiving call */
#endif

/* Flags in atoll_interface.flags */
#ifndef IFF_UP
#define IFF_UP 1 /* in use */
#endif
#ifndef IFF_BROADCAST
#define IFF_BROADCAST 2 /* reaches everybody on its link */
#endif
#ifndef IFF_LOOPBACK
#define IFF_LOOPBACK 8 /* reaches only the machine itself */
#endif
#ifndef IFF_CONFIGURING
#define IFF_CONFIGURING 65536 /* looking for its address */
#endif

/* Kinds of file in atoll_stat.mode */
#ifndef S_IFMT
#define S_IFMT 0170000 /* mask of the kind */
#endif
#ifndef S_IFSOCK
#define S_IFSOCK 0140000 /* socket */
#endif
#ifndef S_IFCHR
#define S_IFCHR 020000 /* character device */
#endif
#ifndef S_IFDIR
#define S_IFDIR 040000 /* directory */
#endif
#ifndef S_IFREG
#define S_IFREG 0100000 /* regular file */
#endif

/* What SYS_STAT tells about a file. 40 bytes. */
struct atoll_stat {
  uint64_t inode; /* +0: number of the file inside its file system */
  uint64_t size; /* +8: bytes */
  uint64_t modified; /* +16: virtual nanoseconds since reset of the last change */
  uint32_t mode; /* +24: kind (S_IFMT) and permission bits */
  uint32_t links; /* +28: names the file has */
  uint32_t device; /* +32: number of the file system */
  uint32_t reserved; /* +36: always 0 */
};

/* An IPv4 socket address; both numbers in network byte order. 8 bytes. */
struct atoll_address {
  uint16_t family; /* +0: AF_INET, 2 */
  uint16_t port; /* +2: big-endian */
  uint32_t address; /* +4: big-endian */
};

/* What SYS_INTERFACE tells about a network interface. 96 bytes. */
struct atoll_interface {
  char name[16]; /* +0: lo or eth0, and zeros */
  uint32_t index; /* +16: number that the kernel gives it, from 1 */
  uint32_t flags; /* +20: IFF_UP and the like */
  uint32_t address; /* +24: its IPv4 address, big-endian; 0 while it has none */
  uint32_t mask; /* +28: mask of its network, big-endian */
  uint32_t gateway; /* +32: next hop for other networks, big-endian; 0 for none */
  uint32_t mtu; /* +36: longest packet in bytes */
  uint8_t mac[6]; /* +40: station address, zeros for loopback */
  uint16_t reserved; /* +46: always 0 */
  uint64_t received_packets; /* +48: IP packets taken in */
  uint64_t received_bytes; /* +56: their bytes */
  uint64_t received_dropped; /* +64: received and not understood, or not for this machine */
  uint64_t sent_packets; /* +72: IP packets sent */
  uint64_t sent_bytes; /* +80: their bytes */
  uint64_t sent_dropped; /* +88: not sent: the transmitter was full, or nobody has the address */
};

/* Any system call by number; unused arguments are 0. */
static inline int64_t atoll_syscall(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f) {
  int64_t result;
  register uint64_t r10 __asm__("r10") = d;
  register uint64_t r8 __asm__("r8") = e;
  register uint64_t r9 __asm__("r9") = f;
  __asm__ volatile("int $0x80"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "memory");
  return result;
}

/* True for a result that says -errno, also where the call returns an address. */
#define ATOLL_FAILED(result) ((uint64_t)(result) > (uint64_t)-4096)

/*
 * Ends the process and gives back everything it held. Its exit status is the low 8 bits of status. When the first
 * program ends, the machine shuts down with that status.
 */
__attribute__((noreturn)) static inline void sys_exit(int status) {
  for (;;) atoll_syscall(SYS_EXIT, (uint64_t)(int64_t)status, 0, 0, 0, 0, 0);
}

/*
 * Lets the next runnable process go first. Returns 0 when it is this one's turn again.
 */
static inline int sys_yield(void) {
  return (int)atoll_syscall(SYS_YIELD, 0, 0, 0, 0, 0, 0);
}

/*
 * Writes [user] , the message and a newline to the serial console. Returns length. A message is at most 4096 bytes
 * long (EINVAL). Errors: EFAULT, EINVAL.
 */
static inline int sys_log(const char *message, size_t length) {
  return (int)atoll_syscall(SYS_LOG, (uint64_t)message, (uint64_t)(int64_t)length, 0, 0, 0, 0);
}

/*
 * Maps fresh zeroed memory, length bytes rounded up to pages. Returns its address. With address 0 the kernel
 * chooses the place, else the pages must be page-aligned, free and inside user space (EINVAL otherwise).
 * PROT_WRITE together with PROT_EXEC is EACCES: no page is ever both. Pages become real when they are first
 * touched. Errors: EINVAL, EACCES, ENOMEM.
 */
static inline void *sys_mmap(void *address, size_t length, int protection) {
  return (void *)atoll_syscall(SYS_MMAP, (uint64_t)address, (uint64_t)(int64_t)length, (uint64_t)(int64_t)protection, 0, 0, 0);
}

/*
 * Clones the process. Returns the child's process id in the parent and 0 in the child. Errors: ENOMEM, EAGAIN.
 */
static inline int sys_fork(void) {
  return (int)atoll_syscall(SYS_FORK, 0, 0, 0, 0, 0, 0);
}

/*
 * Replaces the program of the process with the file at path. Returns only on failure. Errors: ENOENT, ENOEXEC,
 * EACCES, EFAULT, ENOMEM, E2BIG, ENAMETOOLONG.
 */
static inline int sys_exec(const char *path, char *const *argv, char *const *envp) {
  return (int)atoll_syscall(SYS_EXEC, (uint64_t)path, (uint64_t)argv, (uint64_t)envp, 0, 0, 0);
}

/*
 * Sleeps until a child ends: the one named, or any with pid -1. Returns its process id and stores, unless status
 * is 0, its exit status, or ENDED_BY_SIGNAL plus the signal that ended it. With WAIT_POLL it never sleeps: 0 when
 * no child has ended yet. Errors: ECHILD, EFAULT, EINVAL.
 */
static inline int sys_wait(int pid, int *status, int options) {
  return (int)atoll_syscall(SYS_WAIT, (uint64_t)(int64_t)pid, (uint64_t)status, (uint64_t)(int64_t)options, 0, 0, 0);
}

/*
 * Reads at most length bytes. Returns how many were read, 0 at the end of the file. On the console it sleeps until
 * a line has been typed. Errors: EBADF, EFAULT, EISDIR, EINTR.
 */
static inline int64_t sys_read(int fd, void *buffer, size_t length) {
  return (int64_t)atoll_syscall(SYS_READ, (uint64_t)(int64_t)fd, (uint64_t)buffer, (uint64_t)(int64_t)length, 0, 0, 0);
}

/*
 * Writes length bytes. Returns how many were written, fewer only when the file system filled up on the way.
 * Errors: EBADF, EFAULT, ENOSPC, EFBIG.
 */
static inline int64_t sys_write(int fd, const void *buffer, size_t length) {
  return (int64_t)atoll_syscall(SYS_WRITE, (uint64_t)(int64_t)fd, (uint64_t)buffer, (uint64_t)(int64_t)length, 0, 0, 0);
}

/*
 * Opens a file; O_CREAT makes it with the permission bits of mode. Returns the lowest free descriptor. Descriptors
 * 0, 1 and 2 of a first program are the console. Errors: ENOENT, EACCES, EEXIST, ENOTDIR, EISDIR, EMFILE, ENFILE,
 * ENAMETOOLONG, EFAULT, EINVAL, ENOSPC.
 */
static inline int sys_open(const char *path, int flags, int mode) {
  return (int)atoll_syscall(SYS_OPEN, (uint64_t)path, (uint64_t)(int64_t)flags, (uint64_t)(int64_t)mode, 0, 0, 0);
}

/*
 * Closes a descriptor. Returns 0. Errors: EBADF.
 */
static inline int sys_close(int fd) {
  return (int)atoll_syscall(SYS_CLOSE, (uint64_t)(int64_t)fd, 0, 0, 0, 0, 0);
}

/*
 * Describes the file at path. Returns 0. Errors: ENOENT, ENOTDIR, ENAMETOOLONG, EFAULT.
 */
static inline int sys_stat(const char *path, struct atoll_stat *stat) {
  return (int)atoll_syscall(SYS_STAT, (uint64_t)path, (uint64_t)stat, 0, 0, 0, 0);
}

/*
 * Loads a WebAssembly module into the kernel's runtime and runs its start function. name stands for it in log
 * lines; 0 gives it none. Returns its module id. What is not a module, is too large or imports what there is not
 * is ENOEXEC with one log line; EMFILE says that the process has 16 modules or the machine 64, ENOMEM that the
 * machine has no frames for its memory, EFAULT also that the start function trapped. A module belongs to the
 * process that loaded it, not to its children. Errors: EFAULT, ENOEXEC, ENOMEM, EMFILE, ENAMETOOLONG.
 */
static inline int sys_wasm_load(const void *bytes, size_t length, const char *name) {
  return (int)atoll_syscall(SYS_WASM_LOAD, (uint64_t)bytes, (uint64_t)(int64_t)length, (uint64_t)name, 0, 0, 0);
}

/*
 * Calls an exported function. Its arguments are count words, one for each i32 or f32, two for each i64 or f64, the
 * low one first; result gets its results in the same form, unless it is 0. Returns 0. EINVAL says that there is no
 * such module or that the words do not fit the function's type, ENOENT that it exports no such function. A trap is
 * EFAULT, and calls nested too deeply (512 KiB of frames) are ENOMEM, each with one log line; the module stays
 * loaded as the trap left it. Errors: EINVAL, ENOENT, EFAULT, ENOMEM, ENAMETOOLONG.
 */
static inline int sys_wasm_exec(int module, const char *function, const int32_t *arguments, size_t count, int32_t *result) {
  return (int)atoll_syscall(SYS_WASM_EXEC, (uint64_t)(int64_t)module, (uint64_t)function, (uint64_t)arguments, (uint64_t)(int64_t)count, (uint64_t)result, 0);
}

/*
 * Makes a socket and returns its descriptor, for which reading, writing, closing, duplicating and forking mean
 * what they mean for a file. domain is AF_INET and type SOCK_DGRAM, with SOCK_NONBLOCK or SOCK_CLOEXEC added.
 * protocol 0 or IPPROTO_UDP is UDP; IPPROTO_ICMP sends echo requests and receives the replies, each an ICMP
 * message from its header on, whose checksum and identifier the kernel fills in. Streams are EPROTONOSUPPORT in
 * this version. Errors: EAFNOSUPPORT, EPROTONOSUPPORT, EMFILE, ENFILE.
 */
static inline int sys_socket(int domain, int type, int protocol) {
  return (int)atoll_syscall(SYS_SOCKET, (uint64_t)(int64_t)domain, (uint64_t)(int64_t)type, (uint64_t)(int64_t)protocol, 0, 0, 0);
}

/*
 * Gives a socket its local address, once (EINVAL). Address 0 takes what comes to any address of the machine; port
 * 0 is one that nobody has. Returns 0. Errors: EBADF, ENOTSOCK, EAFNOSUPPORT, EADDRINUSE, EADDRNOTAVAIL, EFAULT,
 * EINVAL.
 */
static inline int sys_bind(int fd, const struct atoll_address *address) {
  return (int)atoll_syscall(SYS_BIND, (uint64_t)(int64_t)fd, (uint64_t)address, 0, 0, 0, 0);
}

/*
 * Lets a stream socket accept connections, at most backlog of them waiting. EOPNOTSUPP for a datagram socket.
 * Errors: EBADF, ENOTSOCK, EOPNOTSUPP.
 */
static inline int sys_listen(int fd, int backlog) {
  return (int)atoll_syscall(SYS_LISTEN, (uint64_t)(int64_t)fd, (uint64_t)(int64_t)backlog, 0, 0, 0, 0);
}

/*
 * Sleeps until a connection comes in. Returns a descriptor for it and stores the peer's address unless peer is 0.
 * EOPNOTSUPP for a datagram socket. Errors: EBADF, ENOTSOCK, EOPNOTSUPP.
 */
static inline int sys_accept(int fd, struct atoll_address *peer) {
  return (int)atoll_syscall(SYS_ACCEPT, (uint64_t)(int64_t)fd, (uint64_t)peer, 0, 0, 0, 0);
}

/*
 * Names the peer of a datagram socket: where SEND sends to, and whom alone RECV receives from. Nothing is sent.
 * Family AF_UNSPEC takes the peer away again. Returns 0. Errors: EBADF, ENOTSOCK, EAFNOSUPPORT, EADDRINUSE,
 * EACCES, ENETUNREACH, EAGAIN, EFAULT, EINTR.
 */
static inline int sys_connect(int fd, const struct atoll_address *address) {
  return (int)atoll_syscall(SYS_CONNECT, (uint64_t)(int64_t)fd, (uint64_t)address, 0, 0, 0, 0);
}

/*
 * Sends one datagram to the peer that CONNECT has named; else as SENDTO. Errors: EBADF, ENOTSOCK, EDESTADDRREQ,
 * EMSGSIZE, EINVAL, ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EACCES, EADDRNOTAVAIL, EADDRINUSE, EAGAIN,
 * EOPNOTSUPP, EFAULT, EINTR.
 */
static inline int64_t sys_send(int fd, const void *buffer, size_t length, int flags) {
  return (int64_t)atoll_syscall(SYS_SEND, (uint64_t)(int64_t)fd, (uint64_t)buffer, (uint64_t)(int64_t)length, (uint64_t)(int64_t)flags, 0, 0);
}

/*
 * Receives one datagram; as RECVFROM, without telling the sender. Errors: EBADF, ENOTSOCK, ECONNREFUSED,
 * EHOSTUNREACH, ENETUNREACH, EMSGSIZE, EAGAIN, EOPNOTSUPP, EFAULT, EINTR.
 */
static inline int64_t sys_recv(int fd, void *buffer, size_t length, int flags) {
  return (int64_t)atoll_syscall(SYS_RECV, (uint64_t)(int64_t)fd, (uint64_t)buffer, (uint64_t)(int64_t)length, (uint64_t)(int64_t)flags, 0, 0);
}

/*
 * Sends one datagram to address, or to the peer when that is 0, and returns its length. It sleeps while the
 * transmitter is full and while the machine still looks for its address; with MSG_DONTWAIT it is EAGAIN instead. A
 * datagram is one packet: at most 1472 bytes on Ethernet (EMSGSIZE). A broadcast address needs SO_BROADCAST
 * (EACCES). When an earlier datagram of a socket with a peer met a closed port or no host, the next call says so,
 * once (ECONNREFUSED, EHOSTUNREACH). Errors: EBADF, ENOTSOCK, EAFNOSUPPORT, EDESTADDRREQ, EMSGSIZE, EINVAL,
 * ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EACCES, EADDRNOTAVAIL, EADDRINUSE, EAGAIN, EOPNOTSUPP, EFAULT, EINTR.
 */
static inline int64_t sys_sendto(int fd, const void *buffer, size_t length, int flags, const struct atoll_address *address) {
  return (int64_t)atoll_syscall(SYS_SENDTO, (uint64_t)(int64_t)fd, (uint64_t)buffer, (uint64_t)(int64_t)length, (uint64_t)(int64_t)flags, (uint64_t)address, 0);
}

/*
 * Sleeps until a datagram is there and receives it; bytes beyond length are lost. Returns its length and stores
 * the sender's address unless address is 0. With MSG_DONTWAIT, or after the time that SO_RCVTIMEO sets, it is
 * EAGAIN. MSG_PEEK leaves the datagram; MSG_TRUNC returns its whole length even where that was longer than length.
 * Errors: EBADF, ENOTSOCK, ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EMSGSIZE, EAGAIN, EOPNOTSUPP, EFAULT, EINTR.
 */
static inline int64_t sys_recvfrom(int fd, void *buffer, size_t length, int flags, struct atoll_address *address) {
  return (int64_t)atoll_syscall(SYS_RECVFROM, (uint64_t)(int64_t)fd, (uint64_t)buffer, (uint64_t)(int64_t)length, (uint64_t)(int64_t)flags, (uint64_t)address, 0);
}

/*
 * Returns the process id. The first program is process 1.
 */
static inline int sys_getpid(void) {
  return (int)atoll_syscall(SYS_GETPID, 0, 0, 0, 0, 0, 0);
}

/*
 * Returns the machine's virtual time: nanoseconds since reset.
 */
static inline int64_t sys_clock(void) {
  return (int64_t)atoll_syscall(SYS_CLOCK, 0, 0, 0, 0, 0, 0);
}

/*
 * Sleeps for at least that much virtual time. Returns 0. Errors: EINVAL, EINTR.
 */
static inline int sys_sleep(int64_t nanoseconds) {
  return (int)atoll_syscall(SYS_SLEEP, (uint64_t)(int64_t)nanoseconds, 0, 0, 0, 0, 0);
}

/*
 * Unmaps every page of the range; pages that were not mapped are passed over. Returns 0. Errors: EINVAL, ENOMEM.
 */
static inline int sys_munmap(void *address, size_t length) {
  return (int)atoll_syscall(SYS_MUNMAP, (uint64_t)address, (uint64_t)(int64_t)length, 0, 0, 0, 0);
}

/*
 * Moves the position of an open file, counted from the start (SEEK_SET), the position (SEEK_CUR) or the end
 * (SEEK_END). Returns the new position. Errors: EBADF, EINVAL, ESPIPE, EOVERFLOW.
 */
static inline int64_t sys_seek(int fd, int64_t offset, int whence) {
  return (int64_t)atoll_syscall(SYS_SEEK, (uint64_t)(int64_t)fd, (uint64_t)(int64_t)offset, (uint64_t)(int64_t)whence, 0, 0, 0);
}

/*
 * Sets how the console reads. TTY_CANONICAL hands over whole lines, echoed and edited (backspace, Ctrl-U, Ctrl-D
 * for end of file); TTY_RAW hands over every byte as it comes and echoes nothing. Returns the mode before. Errors:
 * EBADF, ENOTTY, EINVAL.
 */
static inline int sys_ttymode(int fd, int mode) {
  return (int)atoll_syscall(SYS_TTYMODE, (uint64_t)(int64_t)fd, (uint64_t)(int64_t)mode, 0, 0, 0, 0);
}

/*
 * Makes a pipe and stores two descriptors: what is written to the second is read from the first. Reading sleeps
 * until there are bytes and returns 0 once the last writer has closed; writing sleeps until there is room, and
 * without any reader ends the process by SIGPIPE (EPIPE when that is ignored). Returns 0. Errors: EMFILE, ENFILE,
 * EFAULT.
 */
static inline int sys_pipe(int *descriptors) {
  return (int)atoll_syscall(SYS_PIPE, (uint64_t)descriptors, 0, 0, 0, 0, 0);
}

/*
 * Makes a further descriptor for an open file: the lowest free one with target -1, else target, which is closed
 * first if it was open. Returns it. Errors: EBADF, EMFILE.
 */
static inline int sys_dup(int fd, int target) {
  return (int)atoll_syscall(SYS_DUP, (uint64_t)(int64_t)fd, (uint64_t)(int64_t)target, 0, 0, 0, 0);
}

/*
 * Sends a signal to a process, 0 for itself. A signal ends the process unless it is ignored or harmless by nature
 * (SIGCHLD); signal 0 only asks whether the process is there. Process 1 can be signalled by itself alone (EPERM).
 * Returns 0. Errors: ESRCH, EINVAL, EPERM.
 */
static inline int sys_kill(int pid, int signal) {
  return (int)atoll_syscall(SYS_KILL, (uint64_t)(int64_t)pid, (uint64_t)(int64_t)signal, 0, 0, 0, 0);
}

/*
 * Returns the process id of the parent, 0 when it has ended or there never was one.
 */
static inline int sys_getppid(void) {
  return (int)atoll_syscall(SYS_GETPPID, 0, 0, 0, 0, 0, 0);
}

/*
 * Puts a process, itself with 0 or a child, into a process group; 0 makes a group of its own with its process id.
 * Children are in their parent's group. Returns 0. Errors: ESRCH, EINVAL.
 */
static inline int sys_setgroup(int pid, int group) {
  return (int)atoll_syscall(SYS_SETGROUP, (uint64_t)(int64_t)pid, (uint64_t)(int64_t)group, 0, 0, 0, 0);
}

/*
 * Gives the console to a process group: Ctrl-C reaches its processes as SIGINT. Returns 0. Errors: ESRCH.
 */
static inline int sys_foreground(int group) {
  return (int)atoll_syscall(SYS_FOREGROUND, (uint64_t)(int64_t)group, 0, 0, 0, 0, 0);
}

/*
 * Ignores a signal, or with ignore 0 lets it do what it does by default. SIGKILL cannot be kept off. Returns 0.
 * Errors: EINVAL.
 */
static inline int sys_ignore(int signal, int ignore) {
  return (int)atoll_syscall(SYS_IGNORE, (uint64_t)(int64_t)signal, (uint64_t)(int64_t)ignore, 0, 0, 0, 0);
}

/*
 * Removes a file's name. The file itself goes with its last open descriptor. Returns 0. Errors: ENOENT, ENOTDIR,
 * EISDIR, EBUSY, ENAMETOOLONG, EFAULT.
 */
static inline int sys_unlink(const char *path) {
  return (int)atoll_syscall(SYS_UNLINK, (uint64_t)path, 0, 0, 0, 0, 0);
}

/*
 * Makes an empty directory. Returns 0. Errors: ENOENT, ENOTDIR, EEXIST, EBUSY, ENOSPC, ENAMETOOLONG, EFAULT.
 */
static inline int sys_mkdir(const char *path, int mode) {
  return (int)atoll_syscall(SYS_MKDIR, (uint64_t)path, (uint64_t)(int64_t)mode, 0, 0, 0, 0);
}

/*
 * Removes an empty directory. Returns 0. Errors: ENOENT, ENOTDIR, ENOTEMPTY, EBUSY, ENAMETOOLONG, EFAULT.
 */
static inline int sys_rmdir(const char *path) {
  return (int)atoll_syscall(SYS_RMDIR, (uint64_t)path, 0, 0, 0, 0, 0);
}

/*
 * Gives a file or directory another name, in place of what had that name. Returns 0. Errors: ENOENT, ENOTDIR,
 * EISDIR, ENOTEMPTY, EINVAL, EBUSY, ENAMETOOLONG, EFAULT.
 */
static inline int sys_rename(const char *from, const char *to) {
  return (int)atoll_syscall(SYS_RENAME, (uint64_t)from, (uint64_t)to, 0, 0, 0, 0);
}

/*
 * Stores the name of the next entry of an open directory, without a terminating zero. Returns its length, 0 behind
 * the last entry, EINVAL when it is longer than length. Errors: EBADF, ENOTDIR, EINVAL, EFAULT.
 */
static inline int sys_readdir(int fd, void *name, size_t length) {
  return (int)atoll_syscall(SYS_READDIR, (uint64_t)(int64_t)fd, (uint64_t)name, (uint64_t)(int64_t)length, 0, 0, 0);
}

/*
 * Makes a directory the one that relative paths start from. Returns 0. Errors: ENOENT, ENOTDIR, ENAMETOOLONG,
 * EFAULT.
 */
static inline int sys_chdir(const char *path) {
  return (int)atoll_syscall(SYS_CHDIR, (uint64_t)path, 0, 0, 0, 0, 0);
}

/*
 * Stores the path of that directory and a zero. Returns its length without the zero. Errors: ERANGE, EFAULT.
 */
static inline int sys_getcwd(void *buffer, size_t length) {
  return (int)atoll_syscall(SYS_GETCWD, (uint64_t)buffer, (uint64_t)(int64_t)length, 0, 0, 0, 0);
}

/*
 * Opens the message queue of that key, which is made when nobody has it open. SYS_WRITE sends one message of at
 * most 4096 bytes (EMSGSIZE) and sleeps while 16 are waiting; SYS_READ receives the oldest one whole, sleeping
 * until there is one. A queue goes with its last descriptor. Returns a descriptor. Errors: EMFILE, ENFILE, ENOSPC.
 */
static inline int sys_queue(uint32_t key) {
  return (int)atoll_syscall(SYS_QUEUE, (uint64_t)(int64_t)key, 0, 0, 0, 0, 0);
}

/*
 * Unloads a module and gives its memory back. Returns 0. Errors: EINVAL.
 */
static inline int sys_wasm_unload(int module) {
  return (int)atoll_syscall(SYS_WASM_UNLOAD, (uint64_t)(int64_t)module, 0, 0, 0, 0, 0);
}

/*
 * Runs the WebAssembly program that the process was started with, and ends the process with its status: all that
 * the few instructions do which the kernel gives to a process whose program is a .wasm file. EINVAL in any other
 * process. Errors: EINVAL.
 */
static inline int sys_wasm_main(void) {
  return (int)atoll_syscall(SYS_WASM_MAIN, 0, 0, 0, 0, 0, 0);
}

/*
 * Sets an option of a socket: SO_BROADCAST and SO_REUSEADDR are on or off, SO_RCVTIMEO is the longest sleep of a
 * receiving call in nanoseconds, 0 for no limit. Returns 0. Errors: EBADF, ENOTSOCK, ENOPROTOOPT, EINVAL.
 */
static inline int sys_setsockopt(int fd, int option, int64_t value) {
  return (int)atoll_syscall(SYS_SETSOCKOPT, (uint64_t)(int64_t)fd, (uint64_t)(int64_t)option, (uint64_t)(int64_t)value, 0, 0, 0);
}

/*
 * Stores the local address of a socket, zeros for what is not settled yet. Returns 0. Errors: EBADF, ENOTSOCK,
 * EFAULT.
 */
static inline int sys_sockname(int fd, struct atoll_address *address) {
  return (int)atoll_syscall(SYS_SOCKNAME, (uint64_t)(int64_t)fd, (uint64_t)address, 0, 0, 0, 0);
}

/*
 * Describes a network interface: index 0 is loopback, 1 the network card if the machine has one, ENODEV behind the
 * last. Returns 0. Errors: ENODEV, EFAULT.
 */
static inline int sys_interface(int index, struct atoll_interface *interface) {
  return (int)atoll_syscall(SYS_INTERFACE, (uint64_t)(int64_t)index, (uint64_t)interface, 0, 0, 0, 0);
}

/*
 * Stores the name of the machine and a zero. Returns its length without the zero. Errors: ERANGE, EFAULT.
 */
static inline int sys_hostname(void *buffer, size_t length) {
  return (int)atoll_syscall(SYS_HOSTNAME, (uint64_t)buffer, (uint64_t)(int64_t)length, 0, 0, 0, 0);
}

#endif
