/*
 * A Multiboot kernel in 32-bit protected mode that asks the board questions and prints the answers on COM1, one a line.
 * It runs on Atoll's machine and under QEMU, and both must answer alike, so it only asks what does not depend on how fast
 * the processor is. It ends through the debug exit port with 0. board.S holds its entry and its interrupt stubs.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;

enum { COM1 = 0x3f8, PIC1 = 0x20, PIC2 = 0xa0, PIT = 0x40, CMOS = 0x70, KEYBOARD = 0x60, DEBUG_EXIT = 0xf4, EOI = 0x20 };
enum { RBR = 0, THR = 0, DLL = 0, IER = 1, DLM = 1, IIR = 2, FCR = 2, LCR = 3, MCR = 4, LSR = 5, MSR = 6, SCR = 7 };

static inline void out(u16 port, u8 value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
static inline u8 in(u16 port)
{
    u8 value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
static inline u32 in32(u16 port)
{
    u32 value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static void put(char c)
{
    while (!(in(COM1 + LSR) & 0x20))
        ;
    out(COM1 + THR, (u8)c);
}
static void print(const char *text)
{
    while (*text)
        put(*text++);
}
static void hex(u32 value, int digits)
{
    while (digits-- > 0)
        put("0123456789abcdef"[value >> (4 * digits) & 15]);
}
/* One question, one answer. */
static void say(const char *question, u32 answer, int digits)
{
    print(question);
    print(": ");
    hex(answer, digits);
    put('\n');
}

static u8 isr(u16 pic)
{
    out(pic, 0x0b);
    return in(pic);
}
static u8 irr(u16 pic)
{
    out(pic, 0x0a);
    return in(pic);
}
static u8 cmos(u8 index)
{
    out(CMOS, index);
    return in(CMOS + 1);
}
static void set_cmos(u8 index, u8 value)
{
    out(CMOS, index);
    out(CMOS + 1, value);
}
static void count0(u8 control, u16 count)
{
    out(PIT + 3, control);
    out(PIT, (u8)count);
    out(PIT, (u8)(count >> 8));
}

static volatile u32 counts[16];
static volatile u8 master_in_service, slave_in_service, identified;
static volatile u32 order, order_length;
static volatile int hold_eoi;

void interrupt(u32 line)
{
    counts[line]++;
    order = order << 4 | line;
    order_length++;
    master_in_service = isr(PIC1);
    slave_in_service = isr(PIC2);
    if (line == 4)
        identified = in(COM1 + IIR);
    if (line == 8)
        identified = cmos(0x0c);
    if (hold_eoi)
        return;
    if (line >= 8)
        out(PIC2, EOI);
    out(PIC1, EOI);
}

extern u8 stubs[];
static struct { u16 low, selector, flags, high; } __attribute__((packed)) idt[256];

static void set_up_interrupts(void)
{
    struct { u16 limit; u32 base; } __attribute__((packed)) pointer = {sizeof idt - 1, (u32)idt};
    for (u32 i = 0; i < 16; i++) {
        u32 address = (u32)stubs + 16 * i;
        idt[0x20 + i].low = (u16)address;
        idt[0x20 + i].selector = 8;
        idt[0x20 + i].flags = 0x8e00;
        idt[0x20 + i].high = (u16)(address >> 16);
    }
    __asm__ volatile("lidt %0" : : "m"(pointer));
}
static void set_up_pic(u8 icw4)
{
    static const u8 words[][2] = {{0x11, 0x11}, {0x20, 0x28}, {0x04, 0x02}};
    for (int i = 0; i < 3; i++) {
        out((u16)(PIC1 + (i > 0)), words[i][0]);
        out((u16)(PIC2 + (i > 0)), words[i][1]);
    }
    out(PIC1 + 1, icw4);
    out(PIC2 + 1, 1);
    out(PIC1 + 1, 0xff);
    out(PIC2 + 1, 0xff);
}
static void sti(void) { __asm__ volatile("sti" : : : "memory"); }
static void cli(void) { __asm__ volatile("cli" : : : "memory"); }
static void sleep_until_interrupt(void) { __asm__ volatile("sti\n hlt\n cli" : : : "memory"); }
static void wait_for_request(u8 bits)
{
    while ((irr(PIC1) & bits) != bits)
        ;
}

static void ask_serial(void)
{
    say("serial IIR before FIFOs", in(COM1 + IIR), 2);
    out(COM1 + FCR, 0xc7);
    say("serial IIR with FIFOs", in(COM1 + IIR), 2);
    say("serial LSR", in(COM1 + LSR), 2);
    out(COM1 + SCR, 0xa5);
    say("serial SCR", in(COM1 + SCR), 2);
    out(COM1 + IER, 0xff);
    say("serial IER", in(COM1 + IER), 2);
    out(COM1 + IER, 0);
    out(COM1 + MCR, 0xff);
    u8 mcr = in(COM1 + MCR);
    u8 msr = in(COM1 + MSR);
    out(COM1 + MCR, 0x10);
    for (u8 i = 0; i < 20; i++)
        out(COM1 + THR, (u8)(0x30 + i));
    u8 lsr = in(COM1 + LSR);
    u32 received = 0, last = 0;
    while (in(COM1 + LSR) & 1) {
        last = in(COM1 + RBR);
        received++;
    }
    out(COM1 + MCR, 0x0b);
    in(COM1 + MSR);
    say("serial MCR", mcr, 2);
    say("serial MSR in loop, all outputs", msr & 0xf0, 2);
    say("serial LSR after 20 in the loop", lsr, 2);
    say("serial characters kept", received, 2);
    say("serial last kept", last, 2);
    say("serial MSR", in(COM1 + MSR) & 0xf0, 2);
    out(COM1 + LCR, 0x83);
    u32 divisor = in(COM1 + DLL) | (u32)in(COM1 + DLM) << 8;
    out(COM1 + LCR, 0x03);
    say("serial divisor", divisor, 4);
}

static void ask_pic(void)
{
    set_up_pic(1);
    out(PIC1 + 1, 0xf8);
    say("PIC IMR", in(PIC1 + 1), 2);
    out(PIC1 + 1, 0xff);
    count0(0x30, 100);
    wait_for_request(1);
    say("PIC IRR while masked", irr(PIC1) & 1, 2);
    out(PIC1 + 1, 0xfe);
    sti();
    __asm__ volatile("nop");
    cli();
    say("PIC interrupts once unmasked", counts[0], 2);
    say("PIC ISR inside", master_in_service, 2);
    say("PIC ISR after EOI", isr(PIC1), 2);

    count0(0x30, 100);
    wait_for_request(1);
    out(PIC1, 0x0c);
    say("PIC poll", in(PIC1), 2);
    say("PIC ISR after poll", isr(PIC1), 2);
    out(PIC1, 0x61);
    say("PIC ISR after specific EOI of another level", isr(PIC1), 2);
    out(PIC1, 0x60);
    say("PIC ISR after specific EOI", isr(PIC1), 2);
    out(PIC1, 0x0c);
    say("PIC poll with nothing there", in(PIC1) & 0x80, 2);
}

/* The serial port's THRE interrupt is the second source: IRQ 4, below IRQ 0. */
static void ask_priorities(void)
{
    out(PIC1 + 1, 0xff);
    count0(0x30, 100);
    out(COM1 + IER, 0x02);
    wait_for_request(0x11);
    order = 0;
    out(PIC1 + 1, 0xee);
    sti();
    __asm__ volatile("nop\n nop\n nop");
    cli();
    out(COM1 + IER, 0);
    say("PIC order, IRQ 0 highest", order, 2);
    say("serial IIR of THRE", identified, 2);

    /* Set priority: IRQ 3 lowest, so IRQ 4 highest. */
    out(PIC1 + 1, 0xff);
    out(PIC1, 0xc3);
    count0(0x30, 100);
    out(COM1 + IER, 0x02);
    wait_for_request(0x11);
    order = 0;
    out(PIC1 + 1, 0xee);
    sti();
    __asm__ volatile("nop\n nop\n nop");
    cli();
    out(COM1 + IER, 0);
    say("PIC order, IRQ 4 highest", order, 2);
    out(PIC1, 0xc7);

    /* Without EOI a lower level waits; special mask mode lets it through. */
    out(PIC1 + 1, 0xfe);
    hold_eoi = 1;
    count0(0x30, 100);
    wait_for_request(1);
    sti();
    __asm__ volatile("nop");
    cli();
    out(PIC1 + 1, 0xee);
    counts[4] = 0;
    out(COM1 + IER, 0x02);
    wait_for_request(0x10);
    sti();
    __asm__ volatile("nop");
    cli();
    say("PIC IRQ 4 while IRQ 0 is in service", counts[4], 2);
    /* OCW3 first: QEMU looks at the mode only when the mask changes. */
    out(PIC1, 0x68);
    out(PIC1 + 1, 0xef);
    sti();
    __asm__ volatile("nop");
    cli();
    say("PIC IRQ 4 in special mask mode", counts[4], 2);
    say("PIC ISR with both", isr(PIC1), 2);
    hold_eoi = 0;
    out(COM1 + IER, 0);
    out(PIC1, 0x48);
    out(PIC1, EOI);
    out(PIC1, EOI);
    say("PIC ISR after two EOIs", isr(PIC1), 2);

    /* Automatic EOI. */
    set_up_pic(3);
    out(PIC1 + 1, 0xfe);
    hold_eoi = 1;
    count0(0x30, 100);
    wait_for_request(1);
    sti();
    __asm__ volatile("nop");
    cli();
    say("PIC ISR inside with automatic EOI", master_in_service, 2);
    hold_eoi = 0;
    set_up_pic(1);
}

static void ask_timer(void)
{
    out(PIT + 3, 0x36);
    out(PIT, 0xe8);
    out(PIT, 0x03);
    out(PIT + 3, 0xe2);
    say("PIT status, mode 3", in(PIT) & 0x3f, 2);
    out(PIT + 3, 0x14);
    out(PIT, 200);
    out(PIT + 3, 0xe2);
    say("PIT status, mode 2, LSB", in(PIT) & 0x3f, 2);
    out(PIT + 3, 0x00);
    u8 low = in(PIT);
    say("PIT count is 1 to 200", low >= 1 && low <= 200, 1);

    count0(0x30, 20000);
    out(PIT + 3, 0xc2);
    u8 status = in(PIT);
    u8 first = in(PIT), second = in(PIT);
    say("PIT OUT while it counts", status >> 7, 1);
    say("PIT latched count is below 20001", (u32)(first | second << 8) <= 20000, 1);
    u32 previous = 0x10000, falls = 1;
    for (int i = 0; i < 20; i++) {
        out(PIT + 3, 0x00);
        u32 count = in(PIT);
        count |= (u32)in(PIT) << 8;
        falls &= count <= previous;
        previous = count;
    }
    say("PIT count falls", falls, 1);

    /* Counter 2: the gate is bit 0 of port 0x61, OUT is bit 5. */
    out(0x61, in(0x61) & 0xfc);
    out(PIT + 3, 0xb0);
    out(PIT + 2, 0x00);
    out(PIT + 2, 0x10);
    out(PIT + 3, 0xe8);
    say("PIT counter 2 status", in(PIT + 2) & 0x3f, 2);
    out(0x61, (in(0x61) & 0xfc) | 1);
    say("counter 2 OUT at first", in(0x61) >> 5 & 1, 1);
    while (!(in(0x61) & 0x20))
        ;
    say("counter 2 OUT at last", in(0x61) >> 5 & 1, 1);
    u8 refresh = in(0x61) & 0x10;
    while ((in(0x61) & 0x10) == refresh)
        ;
    print("refresh toggles\n");

    counts[0] = 0;
    out(PIC1 + 1, 0xfe);
    count0(0x34, 1193);
    for (u32 tick = 1; tick <= 5; tick++) {
        while (counts[0] < tick)
            sleep_until_interrupt();
        say("tick", tick, 1);
    }
    count0(0x36, 1193);
    counts[0] = 0;
    while (counts[0] < 5)
        sleep_until_interrupt();
    print("five more in mode 3\n");
    out(PIC1 + 1, 0xff);
    count0(0x34, 0);
}

static void ask_clock(void)
{
    say("RTC B", cmos(0x0b), 2);
    say("RTC D", cmos(0x0d), 2);
    say("CMOS base memory", cmos(0x15) | (u32)cmos(0x16) << 8, 4);
    cmos(0x0c);
    set_cmos(0x0a, 0x26);
    set_cmos(0x0b, 0x42);
    counts[8] = 0;
    out(PIC1 + 1, 0xfb);
    out(PIC2 + 1, 0xfe);
    while (counts[8] < 3)
        sleep_until_interrupt();
    set_cmos(0x0b, 0x02);
    say("RTC C of a periodic interrupt", identified & 0xe0, 2);
    say("master ISR inside IRQ 8", master_in_service, 2);
    say("slave ISR inside IRQ 8", slave_in_service, 2);
    say("slave ISR after", isr(PIC2), 2);
    cmos(0x0c);
    set_cmos(0x0b, 0x12);
    counts[8] = 0;
    while (counts[8] < 1)
        sleep_until_interrupt();
    set_cmos(0x0b, 0x02);
    say("RTC C of an update", identified & 0x90, 2);
    set_cmos(0x0b, 0x82);
    set_cmos(0x09, 0x99);
    set_cmos(0x08, 0x12);
    set_cmos(0x07, 0x31);
    set_cmos(0x04, 0x23);
    set_cmos(0x02, 0x59);
    set_cmos(0x00, 0x58);
    set_cmos(0x32, 0x19);
    set_cmos(0x0b, 0x12);
    for (int i = 0; i < 3; i++) {
        counts[8] = 0;
        while (counts[8] < 1)
            sleep_until_interrupt();
    }
    set_cmos(0x0b, 0x02);
    say("RTC year after the century's end", (u32)cmos(0x32) << 8 | cmos(0x09), 4);
    say("RTC month and day", (u32)cmos(0x08) << 8 | cmos(0x07), 4);
    out(PIC1 + 1, 0xff);
    out(PIC2 + 1, 0xff);
}

static void ask_others(void)
{
    out(KEYBOARD + 4, 0xaa);
    while (!(in(KEYBOARD + 4) & 1))
        ;
    say("keyboard controller self-test", in(KEYBOARD), 2);
    out(KEYBOARD + 4, 0xd0);
    while (!(in(KEYBOARD + 4) & 1))
        ;
    say("A20 by the output port", in(KEYBOARD) >> 1 & 1, 1);
    say("A20 by port 0x92", in(0x92) >> 1 & 1, 1);
    __asm__ volatile("outl %0, %1" : : "a"(0x8000f800), "Nd"((u16)0xcf8));
    say("PCI CONFIG_ADDRESS", in32(0xcf8), 8);
    say("PCI 00:1f.0", in32(0xcfc), 8);
    say("a port without device", in(0x5f0), 2);
    out(0x4d1, 0x0c);
    say("PIC ELCR2", in(0x4d1), 2);
    out(0x4d1, 0);
}

static void ask_loader(u32 magic, const u32 *info)
{
    say("EAX", magic, 8);
    say("information flags", info[0] & 0x49, 8);
    print("command line: ");
    const char *line = (const char *)info[4];
    for (const char *c = line; *c; c++)
        if (*c == ' ')
            line = c + 1;
    print(line);
    say("\nmodules", info[5], 1);
    say("lower memory", info[1], 4);
    const u32 *map = (const u32 *)info[12], *end = (const u32 *)(info[12] + info[11]);
    u32 largest = 0;
    for (; map < end; map = (const u32 *)((u32)map + map[0] + 4))
        if (map[1] == 0x100000 && map[5] == 1)
            largest = map[3];
    say("memory above 1 MiB is there", largest > 0, 1);
}

void kernel(u32 magic, const u32 *info)
{
    out(COM1 + LCR, 0x83);
    out(COM1 + DLL, 1);
    out(COM1 + DLM, 0);
    out(COM1 + LCR, 0x03);
    out(COM1 + MCR, 0x0b);
    set_up_interrupts();
    ask_loader(magic, info);
    ask_serial();
    ask_pic();
    ask_priorities();
    ask_timer();
    ask_clock();
    ask_others();
    __asm__ volatile("outl %0, %1" : : "a"(0), "Nd"((u16)DEBUG_EXIT));
}
