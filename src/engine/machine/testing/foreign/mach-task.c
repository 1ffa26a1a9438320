/*
 * The first task of a GNU Mach that boots on the machine. It says what it finds by a trap, asks the kernel for its version and writes to
 * the console by messages, computes for longer than a time slice, and has the machine reset.
 */
typedef unsigned int word;

/* Traps go through a 32-bit call gate in the LDT, with their number in EAX and their arguments on the stack. */
#define TRAP(name, number) \
    __asm__(".globl " #name "\n" #name ":\n mov $" #number ", %eax\n lcall $7, $0\n ret\n")
TRAP(mach_msg_trap, -25);
TRAP(mach_reply_port, -26);
TRAP(mach_task_self, -28);
TRAP(mach_print, -30);
extern word mach_msg_trap(void *message, word option, word send, word receive, word port, word timeout, word notify);
extern word mach_reply_port(void), mach_task_self(void);
extern void mach_print(const char *text);

enum { SEND = 1, RECEIVE = 2 };
/* MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, MACH_MSG_TYPE_MAKE_SEND_ONCE) */
enum { BITS = 19 | 21 << 8 };
enum { HOST_KERNEL_VERSION = 2619, HOST_REBOOT = 2635, DEVICE_OPEN = 2800, DEVICE_WRITE_INBAND = 2803 };
enum { D_WRITE = 2 };
/* Descriptors of what lies in a message: type, bits of an element, elements, and that they follow. */
#define TYPE(name, bits, count) ((name) | (bits) << 8 | (count) << 16 | 1u << 28)
/* The same in words of their own, for elements of more than 255 bits. */
#define LONG (1u << 28 | 1u << 29)
enum { INTEGER_32 = 2, CHARACTER = 8, STRING_C = 12 };

static union {
    struct { word bits, size, remote, local, sequence, id, body[300]; };
    char bytes[1224];
} message;

/* Sends a body of so many words and receives the answer; returns what it says. */
static word call(word port, word id, word words)
{
    word reply = mach_reply_port();
    message.bits = BITS;
    message.size = 24 + words * 4;
    message.remote = port;
    message.local = reply;
    message.sequence = 0;
    message.id = id;
    word result = mach_msg_trap(&message, SEND | RECEIVE, message.size, sizeof message, reply, 0, 0);
    return result != 0 ? result : message.body[1];
}

static void print_number(const char *name, word number)
{
    char text[12] = "0x00000000\n";
    for (int digit = 0; digit < 8; digit++) text[9 - digit] = "0123456789abcdef"[number >> digit * 4 & 15];
    mach_print(name);
    mach_print(text);
}

static word parse(const char *text)
{
    word number = 0;
    while (*text >= '0' && *text <= '9') number = number * 10 + (word)(*text++ - '0');
    return number;
}

static void copy(char *to, const char *from, word count)
{
    while (count-- > 0) *to++ = *from++;
}

/* A page fault for each page, and enough time for the clock to interrupt. */
static word compute(void)
{
    static word numbers[0x10000];
    word sum = 0;
    for (word round = 0; round < 40; round++)
        for (word index = 0; index < 0x10000; index++) sum += numbers[index] = numbers[index] * 5 + index + round;
    return sum;
}

__attribute__((used)) void run(word count, char **arguments)
{
    if (count < 3) {
        mach_print("task: no ports\n");
        for (;;) ;
    }
    word host = parse(arguments[1]), device = parse(arguments[2]);
    mach_print("task: hello from CPL 3\n");
    print_number("task: cs ", ({ word cs; __asm__("mov %%cs, %0" : "=r"(cs)); cs; }));
    print_number("task: itself is port ", mach_task_self());
    print_number("task: computed ", compute());
    word result = call(host, HOST_KERNEL_VERSION, 0);
    if (result == 0) {
        /* The text follows its descriptor, which is longer when there is more of it than twelve bits count. */
        mach_print("task: kernel is ");
        mach_print((char *)&message.body[(message.body[2] & LONG) == LONG ? 5 : 3]);
        mach_print("\n");
    } else print_number("task: kernel version ", result);

    static const char name[] = "console";
    message.body[0] = TYPE(INTEGER_32, 32, 1);
    message.body[1] = D_WRITE;
    message.body[2] = LONG;
    message.body[3] = STRING_C | 1024 << 16;
    message.body[4] = 1;
    copy((char *)&message.body[5], name, sizeof name);
    result = call(device, DEVICE_OPEN, 5 + 32);
    print_number("task: device_open ", result);
    if (result == 0) {
        word console = message.body[3];
        static const char text[] = "task: written to the console\r\n";
        word length = sizeof text - 1;
        message.body[0] = TYPE(INTEGER_32, 32, 1);
        message.body[1] = 0;
        message.body[2] = TYPE(INTEGER_32, 32, 1);
        message.body[3] = 0;
        message.body[4] = TYPE(CHARACTER, 8, length);
        copy((char *)&message.body[5], text, length);
        result = call(console, DEVICE_WRITE_INBAND, 5 + (length + 3) / 4);
        print_number("task: device_write_inband ", result);
        print_number("task: bytes ", message.body[3]);
    }
    mach_print("task: reboot\n");
    message.body[0] = TYPE(INTEGER_32, 32, 1);
    message.body[1] = 0;
    print_number("task: still there ", call(host, HOST_REBOOT, 2));
    for (;;) ;
}
__asm__(".globl _start\n_start:\n mov %esp, %eax\n lea 4(%eax), %edx\n and $-16, %esp\n sub $8, %esp\n push %edx\n push (%eax)\n call run\n");
