/*
 * The local APIC and the I/O APIC: what is pending, in service and blocked, and where each interrupt arrives. Nothing that is printed
 * depends on how fast a timer is.
 */
#include "common.S"

#define APIC TEST_PAGES
#define IOAPIC (TEST_PAGES + 0x1000)
#define PIC 0x20
#define SLAVE 0xa0
#define PIT 0x40

    .macro APIC_WRITE register, value
    mov dword ptr [APIC + \register], \value
    .endm
    .macro APIC_SHOW text, register
    mov eax, [APIC + \register]
    SHOW "\text"
    .endm
    .macro IOAPIC_WRITE register, value
    mov dword ptr [IOAPIC], \register
    mov dword ptr [IOAPIC + 0x10], \value
    .endm
    .macro IOAPIC_SHOW text, register
    mov dword ptr [IOAPIC], \register
    mov eax, [IOAPIC + 0x10]
    SHOW "\text"
    .endm
    .macro EOI
    APIC_WRITE 0xb0, 0
    .endm
/* Sends itself a vector: shorthand "self". */
    .macro SELF vector
    APIC_WRITE 0x300, (0x44000 + \vector)
    .endm
/* Lets interrupts in for a few instructions. */
    .macro OPEN
    sti
    nop
    nop
    cli
    .endm

main:
    SET_PAGE 0, 0xfee00013
    SET_PAGE 1, 0xfec00013
    mov al, 0xff
    out SLAVE + 1, al
    out PIC + 1, al

    SAY "as firmware leaves it:"
    mov ecx, 0x1b
    rdmsr
    SHOW "base"
    APIC_SHOW "id", 0x20
    APIC_SHOW "version", 0x30
    APIC_SHOW "spurious", 0xf0
    APIC_SHOW "lint0", 0x350
    APIC_SHOW "lint1", 0x360
    APIC_SHOW "dfr", 0xe0
    IOAPIC_SHOW "io-version", 1
    IOAPIC_SHOW "io-entry", 0x10
    SAY "\n"
    APIC_WRITE 0xf0, 0x1ff
    APIC_WRITE 0x350, 0x10000

    BEGIN "a self-IPI while interrupts are off"
    SELF 0x50
    APIC_SHOW "irr", 0x220
    APIC_SHOW "isr", 0x120
    END
    BEGIN "and when they are on"
    OPEN
    END
    SAY "in service:"
    APIC_SHOW "irr", 0x220
    APIC_SHOW "isr", 0x120
    APIC_SHOW "ppr", 0xa0
    SAY "\n"
    BEGIN "the same priority waits for EOI"
    SELF 0x51
    OPEN
    END
    BEGIN "a higher one does not"
    SELF 0x60
    OPEN
    END
    BEGIN "EOI ends the highest"
    EOI
    APIC_SHOW "isr60", 0x130
    APIC_SHOW "isr50", 0x120
    OPEN
    END
    BEGIN "the next EOI lets the waiting one in"
    sti
    EOI
    nop
    END
    EOI
    BEGIN "two at once: the higher first"
    SELF 0x52
    SELF 0x71
    OPEN
    END
    EOI
    BEGIN "then the lower"
    OPEN
    END
    EOI
    BEGIN "CR8 holds back its class and those below"
    mov eax, 5
    mov cr8, rax
    SELF 0x5f
    OPEN
    APIC_SHOW "tpr", 0x80
    APIC_SHOW "ppr", 0xa0
    END
    BEGIN "until it is lowered"
    mov eax, 4
    sti
    nop
    mov cr8, rax
    nop
    END
    EOI
    SAY "TPR is CR8:"
    APIC_WRITE 0x80, 0x37
    SHOW "cr8", cr8
    APIC_WRITE 0x80, 0
    SHOW "cr8", cr8
    SAY "\n"
    BEGIN "a broadcast to others reaches nobody"
    APIC_WRITE 0x300, 0xc4055
    OPEN
    END
    BEGIN "a physical destination"
    APIC_WRITE 0x310, 0
    APIC_WRITE 0x300, 0x4056
    OPEN
    END
    EOI
    BEGIN "a logical destination, flat"
    APIC_WRITE 0xd0, 0x04000000
    APIC_WRITE 0x310, 0x05000000
    APIC_WRITE 0x300, 0x4857
    OPEN
    END
    EOI
    BEGIN "another logical destination"
    APIC_WRITE 0x310, 0x02000000
    APIC_WRITE 0x300, 0x4858
    OPEN
    END
    APIC_WRITE 0x310, 0

    APIC_WRITE 0x3e0, 0xb
    BEGIN "the timer, once"
    APIC_WRITE 0x320, 0x40
    APIC_WRITE 0x380, 100000
    sti
1:  jmp 1b
    END
    EOI
    BEGIN "and no more"
    APIC_SHOW "count", 0x390
    APIC_SHOW "initial", 0x380
    OPEN
    END
    BEGIN "the timer, periodic"
    APIC_WRITE 0x320, 0x20041
    APIC_WRITE 0x380, 50000000
    sti
1:  jmp 1b
    END
    EOI
    BEGIN "again, through HLT"
    sti
1:  hlt
    jmp 1b
    END
    APIC_WRITE 0x380, 0
    EOI
    BEGIN "stopped"
    OPEN
    END

    BEGIN "the 8254 through the I/O APIC, edge-triggered"
    IOAPIC_WRITE 0x15, 0
    IOAPIC_WRITE 0x14, 0x42
    mov al, 0x30
    out PIT + 3, al
    mov al, 200
    out PIT, al
    mov al, 2
    out PIT, al
    sti
1:  jmp 1b
    END
    IOAPIC_SHOW "entry", 0x14
    APIC_SHOW "tmr", 0x1a0
    SAY "\n"
    EOI
    IOAPIC_WRITE 0x14, 0x10042

/* The transmitter's interrupt stays until it is looked at. */
    mov edx, COM1 + 4
    mov al, 8
    out dx, al
    BEGIN "COM1 through the I/O APIC, level-triggered"
    IOAPIC_WRITE 0x18, 0x8043
    mov edx, COM1 + 1
    mov al, 2
    out dx, al
    sti
1:  jmp 1b
    END
    mov edx, COM1 + 1
    in al, dx
    IOAPIC_SHOW "entry", 0x18
    APIC_SHOW "tmr", 0x1a0
    SAY "\n"
    BEGIN "EOI while the line is high: again"
    mov edx, COM1 + 1
    mov al, 0
    out dx, al
    mov al, 2
    out dx, al
    EOI
    OPEN
    END
    mov edx, COM1 + 1
    mov al, 0
    out dx, al
    BEGIN "EOI when it is low: not again"
    EOI
    IOAPIC_SHOW "entry", 0x18
    OPEN
    END
    IOAPIC_WRITE 0x18, 0x10043
    ret
