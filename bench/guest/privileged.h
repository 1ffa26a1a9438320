/* What a kernel needs at least: segments for ring 3, a task state segment, gates, and pages that ring 3 may use. Bare machine only. */
#pragma once
#include "work.h"

enum { KERNEL_CODE = 0x08, KERNEL_DATA = 0x10, USER_DATA = 0x18 | 3, USER_CODE = 0x20 | 3, TASK = 0x28 };
enum { GATE_KERNEL = 0x8e, GATE_USER = 0xee };
enum { PRESENT = 1, WRITABLE = 2, USER = 4 };

struct __attribute__((packed)) table {
  uint16_t limit;
  uint64_t base;
};

struct __attribute__((packed)) gate {
  uint16_t low, selector;
  uint8_t stack, type;
  uint16_t middle;
  uint32_t high, zero;
};

static uint64_t segments[7];
static struct gate gates[256];
static uint32_t task[26];
static uint8_t kernel_stack[8192] __attribute__((aligned(16)));
static uint8_t user_stack[8192] __attribute__((aligned(16)));

static inline uint64_t *top_table(void) {
  uint64_t address;
  __asm__ volatile("mov %%cr3, %0" : "=r"(address));
  return (uint64_t *)(address & ~0xfffull);
}

static inline void use_top_table(const void *table) { __asm__ volatile("mov %0, %%cr3" : : "r"(table) : "memory"); }

static void set_gate(int vector, void (*handler)(void), uint8_t type) {
  uint64_t at = (uint64_t)handler;
  gates[vector] = (struct gate){(uint16_t)at, KERNEL_CODE, 0, type, (uint16_t)(at >> 16), (uint32_t)(at >> 32), 0};
}

/* Everything below 1 GiB for ring 3 too, in the large pages that entry.S made. */
static void open_pages(void) {
  uint64_t *top = top_table(), *middle = (uint64_t *)(top[0] & ~0xfffull), *low = (uint64_t *)(middle[0] & ~0xfffull);
  top[0] |= USER;
  middle[0] |= USER;
  for (int i = 0; i < 512; i++) low[i] |= USER;
  use_top_table(top);
}

static void become_kernel(void) {
  static int is_done;
  if (is_done) return;
  is_done = 1;
  uint64_t at = (uint64_t)task, stack = (uint64_t)(kernel_stack + sizeof kernel_stack);
  task[1] = (uint32_t)stack;
  task[2] = (uint32_t)(stack >> 32);
  segments[1] = 0x00af9b000000ffff;
  segments[2] = 0x00cf93000000ffff;
  segments[3] = 0x00cff3000000ffff;
  segments[4] = 0x00affb000000ffff;
  segments[5] = (sizeof task - 1) | (at & 0xffffff) << 16 | 0x89ull << 40 | (at >> 24 & 0xff) << 56;
  segments[6] = at >> 32;
  struct table gdt = {sizeof segments - 1, (uint64_t)segments}, idt = {sizeof gates - 1, (uint64_t)gates};
  __asm__ volatile("lgdt %0; lidt %1; ltr %w2" : : "m"(gdt), "m"(idt), "r"(TASK) : "memory");
  open_pages();
}

/* Runs `program` in ring 3 until it executes int 0x81. */
void run_user(void (*program)(void));
void end_user(void);
__asm__(
    "run_user: push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
    "mov %rsp, kept_stack(%rip)\n"
    "pushq $0x1b; pushq user_top(%rip); pushq $2; pushq $0x23; push %rdi; iretq\n"
    "end_user: mov kept_stack(%rip), %rsp\n"
    "pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx; ret\n");
uint64_t kept_stack;
uint8_t *user_top = user_stack + sizeof user_stack;
