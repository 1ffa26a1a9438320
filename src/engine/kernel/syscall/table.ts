import type { ErrnoName } from './errno.ts'

/**
 * The Atoll ABI's system calls (`int 0x80`): number in RAX, arguments in RDI RSI RDX R10 R8 R9, result in RAX, `-errno` on
 * failure, every other register preserved. This table is the source: the dispatcher runs by it, and the C header
 * `user/include/atoll.h` and `docs/abi.md` are generated from it (testing/generate.ts).
 */

/** C types an argument can have, and how the dispatcher reads the register: see `decodeArgument` in dispatch.ts. */
export type ArgumentType =
  | 'int'
  | 'uint32_t'
  | 'int64_t'
  | 'size_t'
  | 'void *'
  | 'const void *'
  | 'const char *'
  | 'char *const *'
  | 'int *'
  | 'int32_t *'
  | 'const int32_t *'
  | 'uint32_t *'
  | 'struct atoll_stat *'
  | 'const struct atoll_address *'
  | 'struct atoll_address *'
  | 'struct atoll_interface *'

export interface SyscallArgument {
  name: string
  type: ArgumentType
}

export interface SyscallDefinition {
  number: number
  /** Without the prefix: EXIT stands for SYS_EXIT and sys_exit(). */
  name: string
  arguments: readonly SyscallArgument[]
  /** `void`: the call does not return. */
  returns: 'void' | 'int' | 'int64_t' | 'void *'
  errors: readonly ErrnoName[]
  /** Complete sentences in Markdown; the first is the summary. */
  doc: string
}

const path: SyscallArgument = { name: 'path', type: 'const char *' }
const fd: SyscallArgument = { name: 'fd', type: 'int' }
const flags: SyscallArgument = { name: 'flags', type: 'int' }
const length: SyscallArgument = { name: 'length', type: 'size_t' }

export const syscalls = [
  {
    number: 1,
    name: 'EXIT',
    arguments: [{ name: 'status', type: 'int' }],
    returns: 'void',
    errors: [],
    doc:
      'Ends the process and gives back everything it held. Its exit status is the low 8 bits of `status`. When the first program ' +
      'ends, the machine shuts down with that status.',
  },
  {
    number: 2,
    name: 'YIELD',
    arguments: [],
    returns: 'int',
    errors: [],
    doc: 'Lets the next runnable process go first. Returns 0 when it is this one’s turn again.',
  },
  {
    number: 3,
    name: 'LOG',
    arguments: [{ name: 'message', type: 'const char *' }, length],
    returns: 'int',
    errors: ['EFAULT', 'EINVAL'],
    doc:
      'Writes `[user] `, the message and a newline to the serial console. Returns `length`. A message is at most 4096 bytes long ' +
      '(EINVAL).',
  },
  {
    number: 4,
    name: 'MMAP',
    arguments: [{ name: 'address', type: 'void *' }, length, { name: 'protection', type: 'int' }],
    returns: 'void *',
    errors: ['EINVAL', 'EACCES', 'ENOMEM'],
    doc:
      'Maps fresh zeroed memory, `length` bytes rounded up to pages. Returns its address. With `address` 0 the kernel chooses the ' +
      'place, else the pages must be page-aligned, free and inside user space (EINVAL otherwise). PROT_WRITE together with ' +
      'PROT_EXEC is EACCES: no page is ever both. Pages become real when they are first touched.',
  },
  {
    number: 5,
    name: 'FORK',
    arguments: [],
    returns: 'int',
    errors: ['ENOMEM', 'EAGAIN'],
    doc: 'Clones the process. Returns the child’s process id in the parent and 0 in the child.',
  },
  {
    number: 6,
    name: 'EXEC',
    arguments: [path, { name: 'argv', type: 'char *const *' }, { name: 'envp', type: 'char *const *' }],
    returns: 'int',
    errors: ['ENOENT', 'ENOEXEC', 'EACCES', 'EFAULT', 'ENOMEM', 'E2BIG', 'ENAMETOOLONG'],
    doc: 'Replaces the program of the process with the file at `path`. Returns only on failure.',
  },
  {
    number: 7,
    name: 'WAIT',
    arguments: [
      { name: 'pid', type: 'int' },
      { name: 'status', type: 'int *' },
      { name: 'options', type: 'int' },
    ],
    returns: 'int',
    errors: ['ECHILD', 'EFAULT', 'EINVAL'],
    doc:
      'Sleeps until a child ends: the one named, or any with `pid` -1. Returns its process id and stores, unless `status` is 0, its ' +
      'exit status, or ENDED_BY_SIGNAL plus the signal that ended it. With WAIT_POLL it never sleeps: 0 when no child has ended yet.',
  },
  {
    number: 8,
    name: 'READ',
    arguments: [fd, { name: 'buffer', type: 'void *' }, length],
    returns: 'int64_t',
    errors: ['EBADF', 'EFAULT', 'EISDIR', 'EINTR'],
    doc:
      'Reads at most `length` bytes. Returns how many were read, 0 at the end of the file. On the console it sleeps until a line ' +
      'has been typed.',
  },
  {
    number: 9,
    name: 'WRITE',
    arguments: [fd, { name: 'buffer', type: 'const void *' }, length],
    returns: 'int64_t',
    errors: ['EBADF', 'EFAULT', 'ENOSPC', 'EFBIG'],
    doc: 'Writes `length` bytes. Returns how many were written, fewer only when the file system filled up on the way.',
  },
  {
    number: 10,
    name: 'OPEN',
    arguments: [path, flags, { name: 'mode', type: 'int' }],
    returns: 'int',
    errors: ['ENOENT', 'EACCES', 'EEXIST', 'ENOTDIR', 'EISDIR', 'EMFILE', 'ENFILE', 'ENAMETOOLONG', 'EFAULT', 'EINVAL', 'ENOSPC'],
    doc:
      'Opens a file; O_CREAT makes it with the permission bits of `mode`. Returns the lowest free descriptor. Descriptors 0, 1 and ' +
      '2 of a first program are the console.',
  },
  {
    number: 11,
    name: 'CLOSE',
    arguments: [fd],
    returns: 'int',
    errors: ['EBADF'],
    doc: 'Closes a descriptor. Returns 0.',
  },
  {
    number: 12,
    name: 'STAT',
    arguments: [path, { name: 'stat', type: 'struct atoll_stat *' }],
    returns: 'int',
    errors: ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'EFAULT'],
    doc: 'Describes the file at `path`. Returns 0.',
  },
  {
    number: 13,
    name: 'WASM_LOAD',
    arguments: [{ name: 'bytes', type: 'const void *' }, length, { name: 'name', type: 'const char *' }],
    returns: 'int',
    errors: ['EFAULT', 'ENOEXEC', 'ENOMEM', 'EMFILE', 'ENAMETOOLONG'],
    doc:
      'Loads a WebAssembly module into the kernel’s runtime and runs its start function. `name` stands for it in log lines; 0 gives ' +
      'it none. Returns its module id. What is not a module, is too large or imports what there is not is ENOEXEC with one log line; ' +
      'EMFILE says that the process has 16 modules or the machine 64, ENOMEM that the machine has no frames for its memory, EFAULT ' +
      'also that the start function trapped. A module belongs to the process that loaded it, not to its children.',
  },
  {
    number: 14,
    name: 'WASM_EXEC',
    arguments: [
      { name: 'module', type: 'int' },
      { name: 'function', type: 'const char *' },
      { name: 'arguments', type: 'const int32_t *' },
      { name: 'count', type: 'size_t' },
      { name: 'result', type: 'int32_t *' },
    ],
    returns: 'int',
    errors: ['EINVAL', 'ENOENT', 'EFAULT', 'ENOMEM', 'ENAMETOOLONG'],
    doc:
      'Calls an exported function. Its arguments are `count` words, one for each i32 or f32, two for each i64 or f64, the low one ' +
      'first; `result` gets its results in the same form, unless it is 0. Returns 0. EINVAL says that there is no such module or ' +
      'that the words do not fit the function’s type, ENOENT that it exports no such function. A trap is EFAULT, and calls nested ' +
      'too deeply (512 KiB of frames) are ENOMEM, each with one log line; the module stays loaded as the trap left it.',
  },
  {
    number: 15,
    name: 'SOCKET',
    arguments: [
      { name: 'domain', type: 'int' },
      { name: 'type', type: 'int' },
      { name: 'protocol', type: 'int' },
    ],
    returns: 'int',
    errors: ['EAFNOSUPPORT', 'EPROTONOSUPPORT', 'EMFILE', 'ENFILE'],
    doc:
      'Makes a socket and returns its descriptor, for which reading, writing, closing, duplicating and forking mean what they mean for ' +
      'a file. `domain` is AF_INET and `type` SOCK_DGRAM, with SOCK_NONBLOCK or SOCK_CLOEXEC added. `protocol` 0 or IPPROTO_UDP is ' +
      'UDP; IPPROTO_ICMP sends echo requests and receives the replies, each an ICMP message from its header on, whose checksum and ' +
      'identifier the kernel fills in. Streams are EPROTONOSUPPORT in this version.',
  },
  {
    number: 16,
    name: 'BIND',
    arguments: [fd, { name: 'address', type: 'const struct atoll_address *' }],
    returns: 'int',
    errors: ['EBADF', 'ENOTSOCK', 'EAFNOSUPPORT', 'EADDRINUSE', 'EADDRNOTAVAIL', 'EFAULT', 'EINVAL'],
    doc:
      'Gives a socket its local address, once (EINVAL). Address 0 takes what comes to any address of the machine; port 0 is one that ' +
      'nobody has. Returns 0.',
  },
  {
    number: 17,
    name: 'LISTEN',
    arguments: [fd, { name: 'backlog', type: 'int' }],
    returns: 'int',
    errors: ['EBADF', 'ENOTSOCK', 'EOPNOTSUPP'],
    doc: 'Lets a stream socket accept connections, at most `backlog` of them waiting. EOPNOTSUPP for a datagram socket.',
  },
  {
    number: 18,
    name: 'ACCEPT',
    arguments: [fd, { name: 'peer', type: 'struct atoll_address *' }],
    returns: 'int',
    errors: ['EBADF', 'ENOTSOCK', 'EOPNOTSUPP'],
    doc:
      'Sleeps until a connection comes in. Returns a descriptor for it and stores the peer’s address unless `peer` is 0. EOPNOTSUPP for ' +
      'a datagram socket.',
  },
  {
    number: 19,
    name: 'CONNECT',
    arguments: [fd, { name: 'address', type: 'const struct atoll_address *' }],
    returns: 'int',
    errors: ['EBADF', 'ENOTSOCK', 'EAFNOSUPPORT', 'EADDRINUSE', 'EACCES', 'ENETUNREACH', 'EAGAIN', 'EFAULT', 'EINTR'],
    doc:
      'Names the peer of a datagram socket: where SEND sends to, and whom alone RECV receives from. Nothing is sent. Family AF_UNSPEC ' +
      'takes the peer away again. Returns 0.',
  },
  {
    number: 20,
    name: 'SEND',
    arguments: [fd, { name: 'buffer', type: 'const void *' }, length, flags],
    returns: 'int64_t',
    errors: [
      'EBADF', 'ENOTSOCK', 'EDESTADDRREQ', 'EMSGSIZE', 'EINVAL', 'ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EACCES', 'EADDRNOTAVAIL',
      'EADDRINUSE', 'EAGAIN', 'EOPNOTSUPP', 'EFAULT', 'EINTR',
    ],
    doc: 'Sends one datagram to the peer that CONNECT has named; else as SENDTO.',
  },
  {
    number: 21,
    name: 'RECV',
    arguments: [fd, { name: 'buffer', type: 'void *' }, length, flags],
    returns: 'int64_t',
    errors: ['EBADF', 'ENOTSOCK', 'ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EMSGSIZE', 'EAGAIN', 'EOPNOTSUPP', 'EFAULT', 'EINTR'],
    doc: 'Receives one datagram; as RECVFROM, without telling the sender.',
  },
  {
    number: 22,
    name: 'SENDTO',
    arguments: [fd, { name: 'buffer', type: 'const void *' }, length, flags, { name: 'address', type: 'const struct atoll_address *' }],
    returns: 'int64_t',
    errors: [
      'EBADF', 'ENOTSOCK', 'EAFNOSUPPORT', 'EDESTADDRREQ', 'EMSGSIZE', 'EINVAL', 'ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EACCES',
      'EADDRNOTAVAIL', 'EADDRINUSE', 'EAGAIN', 'EOPNOTSUPP', 'EFAULT', 'EINTR',
    ],
    doc:
      'Sends one datagram to `address`, or to the peer when that is 0, and returns its length. It sleeps while the transmitter is full ' +
      'and while the machine still looks for its address; with MSG_DONTWAIT it is EAGAIN instead. A datagram is one packet: at most ' +
      '1472 bytes on Ethernet (EMSGSIZE). A broadcast address needs SO_BROADCAST (EACCES). When an earlier datagram of a socket with a ' +
      'peer met a closed port or no host, the next call says so, once (ECONNREFUSED, EHOSTUNREACH).',
  },
  {
    number: 23,
    name: 'RECVFROM',
    arguments: [fd, { name: 'buffer', type: 'void *' }, length, flags, { name: 'address', type: 'struct atoll_address *' }],
    returns: 'int64_t',
    errors: ['EBADF', 'ENOTSOCK', 'ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EMSGSIZE', 'EAGAIN', 'EOPNOTSUPP', 'EFAULT', 'EINTR'],
    doc:
      'Sleeps until a datagram is there and receives it; bytes beyond `length` are lost. Returns its length and stores the sender’s ' +
      'address unless `address` is 0. With MSG_DONTWAIT, or after the time that SO_RCVTIMEO sets, it is EAGAIN. MSG_PEEK leaves the ' +
      'datagram; MSG_TRUNC returns its whole length even where that was longer than `length`.',
  },
  {
    number: 24,
    name: 'GETPID',
    arguments: [],
    returns: 'int',
    errors: [],
    doc: 'Returns the process id. The first program is process 1.',
  },
  {
    number: 25,
    name: 'CLOCK',
    arguments: [],
    returns: 'int64_t',
    errors: [],
    doc: 'Returns the machine’s virtual time: nanoseconds since reset.',
  },
  {
    number: 26,
    name: 'SLEEP',
    arguments: [{ name: 'nanoseconds', type: 'int64_t' }],
    returns: 'int',
    errors: ['EINVAL', 'EINTR'],
    doc: 'Sleeps for at least that much virtual time. Returns 0.',
  },
  {
    number: 27,
    name: 'MUNMAP',
    arguments: [{ name: 'address', type: 'void *' }, length],
    returns: 'int',
    errors: ['EINVAL', 'ENOMEM'],
    doc: 'Unmaps every page of the range; pages that were not mapped are passed over. Returns 0.',
  },
  {
    number: 28,
    name: 'SEEK',
    arguments: [fd, { name: 'offset', type: 'int64_t' }, { name: 'whence', type: 'int' }],
    returns: 'int64_t',
    errors: ['EBADF', 'EINVAL', 'ESPIPE', 'EOVERFLOW'],
    doc:
      'Moves the position of an open file, counted from the start (SEEK_SET), the position (SEEK_CUR) or the end (SEEK_END). ' +
      'Returns the new position.',
  },
  {
    number: 29,
    name: 'TTYMODE',
    arguments: [fd, { name: 'mode', type: 'int' }],
    returns: 'int',
    errors: ['EBADF', 'ENOTTY', 'EINVAL'],
    doc:
      'Sets how the console reads. TTY_CANONICAL hands over whole lines, echoed and edited (backspace, Ctrl-U, Ctrl-D for end of ' +
      'file); TTY_RAW hands over every byte as it comes and echoes nothing. Returns the mode before.',
  },
  {
    number: 31,
    name: 'PIPE',
    arguments: [{ name: 'descriptors', type: 'int *' }],
    returns: 'int',
    errors: ['EMFILE', 'ENFILE', 'EFAULT'],
    doc:
      'Makes a pipe and stores two descriptors: what is written to the second is read from the first. Reading sleeps until there ' +
      'are bytes and returns 0 once the last writer has closed; writing sleeps until there is room, and without any reader ends ' +
      'the process by SIGPIPE (EPIPE when that is ignored). Returns 0.',
  },
  {
    number: 32,
    name: 'DUP',
    arguments: [fd, { name: 'target', type: 'int' }],
    returns: 'int',
    errors: ['EBADF', 'EMFILE'],
    doc:
      'Makes a further descriptor for an open file: the lowest free one with `target` -1, else `target`, which is closed first if ' +
      'it was open. Returns it.',
  },
  {
    number: 33,
    name: 'KILL',
    arguments: [
      { name: 'pid', type: 'int' },
      { name: 'signal', type: 'int' },
    ],
    returns: 'int',
    errors: ['ESRCH', 'EINVAL', 'EPERM'],
    doc:
      'Sends a signal to a process, 0 for itself. A signal ends the process unless it is ignored or harmless by nature (SIGCHLD); ' +
      'signal 0 only asks whether the process is there. Process 1 can be signalled by itself alone (EPERM). Returns 0.',
  },
  {
    number: 34,
    name: 'GETPPID',
    arguments: [],
    returns: 'int',
    errors: [],
    doc: 'Returns the process id of the parent, 0 when it has ended or there never was one.',
  },
  {
    number: 35,
    name: 'SETGROUP',
    arguments: [
      { name: 'pid', type: 'int' },
      { name: 'group', type: 'int' },
    ],
    returns: 'int',
    errors: ['ESRCH', 'EINVAL'],
    doc:
      'Puts a process, itself with 0 or a child, into a process group; 0 makes a group of its own with its process id. Children ' +
      'are in their parent’s group. Returns 0.',
  },
  {
    number: 36,
    name: 'FOREGROUND',
    arguments: [{ name: 'group', type: 'int' }],
    returns: 'int',
    errors: ['ESRCH'],
    doc: 'Gives the console to a process group: Ctrl-C reaches its processes as SIGINT. Returns 0.',
  },
  {
    number: 37,
    name: 'IGNORE',
    arguments: [
      { name: 'signal', type: 'int' },
      { name: 'ignore', type: 'int' },
    ],
    returns: 'int',
    errors: ['EINVAL'],
    doc: 'Ignores a signal, or with `ignore` 0 lets it do what it does by default. SIGKILL cannot be kept off. Returns 0.',
  },
  {
    number: 38,
    name: 'UNLINK',
    arguments: [path],
    returns: 'int',
    errors: ['ENOENT', 'ENOTDIR', 'EISDIR', 'EBUSY', 'ENAMETOOLONG', 'EFAULT'],
    doc: 'Removes a file’s name. The file itself goes with its last open descriptor. Returns 0.',
  },
  {
    number: 39,
    name: 'MKDIR',
    arguments: [path, { name: 'mode', type: 'int' }],
    returns: 'int',
    errors: ['ENOENT', 'ENOTDIR', 'EEXIST', 'EBUSY', 'ENOSPC', 'ENAMETOOLONG', 'EFAULT'],
    doc: 'Makes an empty directory. Returns 0.',
  },
  {
    number: 40,
    name: 'RMDIR',
    arguments: [path],
    returns: 'int',
    errors: ['ENOENT', 'ENOTDIR', 'ENOTEMPTY', 'EBUSY', 'ENAMETOOLONG', 'EFAULT'],
    doc: 'Removes an empty directory. Returns 0.',
  },
  {
    number: 41,
    name: 'RENAME',
    arguments: [
      { name: 'from', type: 'const char *' },
      { name: 'to', type: 'const char *' },
    ],
    returns: 'int',
    errors: ['ENOENT', 'ENOTDIR', 'EISDIR', 'ENOTEMPTY', 'EINVAL', 'EBUSY', 'ENAMETOOLONG', 'EFAULT'],
    doc: 'Gives a file or directory another name, in place of what had that name. Returns 0.',
  },
  {
    number: 42,
    name: 'READDIR',
    arguments: [fd, { name: 'name', type: 'void *' }, length],
    returns: 'int',
    errors: ['EBADF', 'ENOTDIR', 'EINVAL', 'EFAULT'],
    doc:
      'Stores the name of the next entry of an open directory, without a terminating zero. Returns its length, 0 behind the last ' +
      'entry, EINVAL when it is longer than `length`.',
  },
  {
    number: 43,
    name: 'CHDIR',
    arguments: [path],
    returns: 'int',
    errors: ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'EFAULT'],
    doc: 'Makes a directory the one that relative paths start from. Returns 0.',
  },
  {
    number: 44,
    name: 'GETCWD',
    arguments: [{ name: 'buffer', type: 'void *' }, length],
    returns: 'int',
    errors: ['ERANGE', 'EFAULT'],
    doc: 'Stores the path of that directory and a zero. Returns its length without the zero.',
  },
  {
    number: 45,
    name: 'QUEUE',
    arguments: [{ name: 'key', type: 'uint32_t' }],
    returns: 'int',
    errors: ['EMFILE', 'ENFILE', 'ENOSPC'],
    doc:
      'Opens the message queue of that key, which is made when nobody has it open. SYS_WRITE sends one message of at most 4096 ' +
      'bytes (EMSGSIZE) and sleeps while 16 are waiting; SYS_READ receives the oldest one whole, sleeping until there is one. ' +
      'A queue goes with its last descriptor. Returns a descriptor.',
  },
  {
    number: 46,
    name: 'WASM_UNLOAD',
    arguments: [{ name: 'module', type: 'int' }],
    returns: 'int',
    errors: ['EINVAL'],
    doc: 'Unloads a module and gives its memory back. Returns 0.',
  },
  {
    number: 47,
    name: 'WASM_MAIN',
    arguments: [],
    returns: 'int',
    errors: ['EINVAL'],
    doc:
      'Runs the WebAssembly program that the process was started with, and ends the process with its status: all that the few ' +
      'instructions do which the kernel gives to a process whose program is a `.wasm` file. EINVAL in any other process.',
  },
  {
    number: 60,
    name: 'SETSOCKOPT',
    arguments: [fd, { name: 'option', type: 'int' }, { name: 'value', type: 'int64_t' }],
    returns: 'int',
    errors: ['EBADF', 'ENOTSOCK', 'ENOPROTOOPT', 'EINVAL'],
    doc:
      'Sets an option of a socket: SO_BROADCAST and SO_REUSEADDR are on or off, SO_RCVTIMEO is the longest sleep of a receiving call in ' +
      'nanoseconds, 0 for no limit. Returns 0.',
  },
  {
    number: 61,
    name: 'SOCKNAME',
    arguments: [fd, { name: 'address', type: 'struct atoll_address *' }],
    returns: 'int',
    errors: ['EBADF', 'ENOTSOCK', 'EFAULT'],
    doc: 'Stores the local address of a socket, zeros for what is not settled yet. Returns 0.',
  },
  {
    number: 62,
    name: 'INTERFACE',
    arguments: [
      { name: 'index', type: 'int' },
      { name: 'interface', type: 'struct atoll_interface *' },
    ],
    returns: 'int',
    errors: ['ENODEV', 'EFAULT'],
    doc:
      'Describes a network interface: index 0 is loopback, 1 the network card if the machine has one, ENODEV behind the last. ' +
      'Returns 0.',
  },
  {
    number: 63,
    name: 'HOSTNAME',
    arguments: [{ name: 'buffer', type: 'void *' }, length],
    returns: 'int',
    errors: ['ERANGE', 'EFAULT'],
    doc: 'Stores the name of the machine and a zero. Returns its length without the zero.',
  },
] as const satisfies readonly SyscallDefinition[]

export type SyscallName = (typeof syscalls)[number]['name']

/** Named constants of the ABI, grouped as header and docs print them. Linux's values where Linux has the thing. */
export const constantGroups = [
  {
    title: 'Protection of mapped pages (SYS_MMAP)',
    constants: [
      { name: 'PROT_NONE', value: 0, doc: 'no access' },
      { name: 'PROT_READ', value: 1, doc: 'readable' },
      { name: 'PROT_WRITE', value: 2, doc: 'writable, and so readable' },
      { name: 'PROT_EXEC', value: 4, doc: 'executable; never together with PROT_WRITE' },
    ],
  },
  {
    title: 'Flags of SYS_OPEN',
    constants: [
      { name: 'O_RDONLY', value: 0, doc: 'for reading' },
      { name: 'O_WRONLY', value: 1, doc: 'for writing' },
      { name: 'O_RDWR', value: 2, doc: 'for both' },
      { name: 'O_CREAT', value: 0o100, doc: 'make the file if there is none' },
      { name: 'O_EXCL', value: 0o200, doc: 'with O_CREAT: EEXIST if there is one' },
      { name: 'O_TRUNC', value: 0o1000, doc: 'empty the file first' },
      { name: 'O_APPEND', value: 0o2000, doc: 'every write goes to the end' },
      { name: 'O_DIRECTORY', value: 0o200000, doc: 'ENOTDIR if it is no directory' },
    ],
  },
  {
    title: 'Where SYS_SEEK counts from',
    constants: [
      { name: 'SEEK_SET', value: 0, doc: 'the start' },
      { name: 'SEEK_CUR', value: 1, doc: 'the position' },
      { name: 'SEEK_END', value: 2, doc: 'the end' },
    ],
  },
  {
    title: 'Modes of the console (SYS_TTYMODE)',
    constants: [
      { name: 'TTY_CANONICAL', value: 0, doc: 'lines, echoed and edited' },
      { name: 'TTY_RAW', value: 1, doc: 'bytes as they come' },
    ],
  },
  {
    title: 'Waiting for children (SYS_WAIT)',
    constants: [
      { name: 'WAIT_POLL', value: 1, doc: 'option: do not sleep' },
      { name: 'ENDED_BY_SIGNAL', value: 256, doc: 'added to the signal in the status of a process that one ended' },
    ],
  },
  {
    title: 'Signals (SYS_KILL, SYS_IGNORE)',
    constants: [
      { name: 'SIGINT', value: 2, doc: 'Ctrl-C' },
      { name: 'SIGILL', value: 4, doc: 'an instruction that does not exist' },
      { name: 'SIGABRT', value: 6, doc: 'the program gave up' },
      { name: 'SIGFPE', value: 8, doc: 'division by zero and the like' },
      { name: 'SIGKILL', value: 9, doc: 'end at once; cannot be ignored' },
      { name: 'SIGSEGV', value: 11, doc: 'memory that is not there or not allowed' },
      { name: 'SIGPIPE', value: 13, doc: 'nobody reads what is written' },
      { name: 'SIGTERM', value: 15, doc: 'please end' },
      { name: 'SIGCHLD', value: 17, doc: 'a child ended; ignored by nature' },
    ],
  },
  {
    title: 'Sockets (SYS_SOCKET)',
    constants: [
      { name: 'AF_UNSPEC', value: 0, doc: 'no address' },
      { name: 'AF_INET', value: 2, doc: 'IPv4' },
      { name: 'SOCK_STREAM', value: 1, doc: 'a stream of bytes; not in this version' },
      { name: 'SOCK_DGRAM', value: 2, doc: 'datagrams' },
      { name: 'SOCK_NONBLOCK', value: 0o4000, doc: 'added to the type: calls never sleep' },
      { name: 'SOCK_CLOEXEC', value: 0o2000000, doc: 'added to the type: SYS_EXEC closes it' },
      { name: 'IPPROTO_ICMP', value: 1, doc: 'echo requests and replies' },
      { name: 'IPPROTO_UDP', value: 17, doc: 'UDP' },
    ],
  },
  {
    title: 'Flags of sending and receiving',
    constants: [
      { name: 'MSG_PEEK', value: 0x2, doc: 'leave the datagram in the queue' },
      { name: 'MSG_TRUNC', value: 0x20, doc: 'return the whole length' },
      { name: 'MSG_DONTWAIT', value: 0x40, doc: 'EAGAIN instead of sleeping' },
      { name: 'MSG_NOSIGNAL', value: 0x4000, doc: 'accepted; datagrams raise no signal' },
    ],
  },
  {
    title: 'Socket options (SYS_SETSOCKOPT)',
    constants: [
      { name: 'SO_REUSEADDR', value: 2, doc: 'share a port with sockets that share it too' },
      { name: 'SO_BROADCAST', value: 6, doc: 'may send to everybody' },
      { name: 'SO_RCVTIMEO', value: 20, doc: 'longest sleep of a receiving call' },
    ],
  },
  {
    title: 'Flags in atoll_interface.flags',
    constants: [
      { name: 'IFF_UP', value: 1, doc: 'in use' },
      { name: 'IFF_BROADCAST', value: 2, doc: 'reaches everybody on its link' },
      { name: 'IFF_LOOPBACK', value: 8, doc: 'reaches only the machine itself' },
      { name: 'IFF_CONFIGURING', value: 0x10000, doc: 'looking for its address' },
    ],
  },
  {
    title: 'Kinds of file in atoll_stat.mode',
    constants: [
      { name: 'S_IFMT', value: 0o170000, doc: 'mask of the kind' },
      { name: 'S_IFSOCK', value: 0o140000, doc: 'socket' },
      { name: 'S_IFCHR', value: 0o020000, doc: 'character device' },
      { name: 'S_IFDIR', value: 0o040000, doc: 'directory' },
      { name: 'S_IFREG', value: 0o100000, doc: 'regular file' },
    ],
  },
] as const

/** A structure that programs and kernel share: offset in bytes, little-endian, no padding but what is listed. */
export interface StructField {
  offset: number
  type: 'uint64_t' | 'uint32_t' | 'uint16_t' | 'uint8_t' | 'char'
  /** With its length in brackets for an array. */
  name: string
  doc: string
}

export const structures = [
  {
    name: 'atoll_stat', bytes: 40, doc: 'What SYS_STAT tells about a file.',
    fields: [
      { offset: 0, type: 'uint64_t', name: 'inode', doc: 'number of the file inside its file system' },
      { offset: 8, type: 'uint64_t', name: 'size', doc: 'bytes' },
      { offset: 16, type: 'uint64_t', name: 'modified', doc: 'virtual nanoseconds since reset of the last change' },
      { offset: 24, type: 'uint32_t', name: 'mode', doc: 'kind (S_IFMT) and permission bits' },
      { offset: 28, type: 'uint32_t', name: 'links', doc: 'names the file has' },
      { offset: 32, type: 'uint32_t', name: 'device', doc: 'number of the file system' },
      { offset: 36, type: 'uint32_t', name: 'reserved', doc: 'always 0' },
    ],
  },
  {
    name: 'atoll_address', bytes: 8, doc: 'An IPv4 socket address; both numbers in network byte order.',
    fields: [
      { offset: 0, type: 'uint16_t', name: 'family', doc: 'AF_INET, 2' },
      { offset: 2, type: 'uint16_t', name: 'port', doc: 'big-endian' },
      { offset: 4, type: 'uint32_t', name: 'address', doc: 'big-endian' },
    ],
  },
  {
    name: 'atoll_interface', bytes: 96, doc: 'What SYS_INTERFACE tells about a network interface.',
    fields: [
      { offset: 0, type: 'char', name: 'name[16]', doc: 'lo or eth0, and zeros' },
      { offset: 16, type: 'uint32_t', name: 'index', doc: 'number that the kernel gives it, from 1' },
      { offset: 20, type: 'uint32_t', name: 'flags', doc: 'IFF_UP and the like' },
      { offset: 24, type: 'uint32_t', name: 'address', doc: 'its IPv4 address, big-endian; 0 while it has none' },
      { offset: 28, type: 'uint32_t', name: 'mask', doc: 'mask of its network, big-endian' },
      { offset: 32, type: 'uint32_t', name: 'gateway', doc: 'next hop for other networks, big-endian; 0 for none' },
      { offset: 36, type: 'uint32_t', name: 'mtu', doc: 'longest packet in bytes' },
      { offset: 40, type: 'uint8_t', name: 'mac[6]', doc: 'station address, zeros for loopback' },
      { offset: 46, type: 'uint16_t', name: 'reserved', doc: 'always 0' },
      { offset: 48, type: 'uint64_t', name: 'received_packets', doc: 'IP packets taken in' },
      { offset: 56, type: 'uint64_t', name: 'received_bytes', doc: 'their bytes' },
      { offset: 64, type: 'uint64_t', name: 'received_dropped', doc: 'received and not understood, or not for this machine' },
      { offset: 72, type: 'uint64_t', name: 'sent_packets', doc: 'IP packets sent' },
      { offset: 80, type: 'uint64_t', name: 'sent_bytes', doc: 'their bytes' },
      { offset: 88, type: 'uint64_t', name: 'sent_dropped', doc: 'not sent: the transmitter was full, or nobody has the address' },
    ],
  },
] as const satisfies readonly { name: string; bytes: number; doc: string; fields: readonly StructField[] }[]

/** Longest message of SYS_LOG in bytes. */
export const LOG_LENGTH_MAX = 4096
