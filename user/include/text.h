#pragma once
/* The few words about text that small programs need when there is no C library. */
#include <atoll.h>

static inline size_t text_length(const char *text) {
  size_t length = 0;
  while (text[length] != '\0') length++;
  return length;
}

static inline int text_equal(const char *a, const char *b) {
  while (*a != '\0' && *a == *b) a++, b++;
  return *a == *b;
}

/* Writes a text to a descriptor: 1 for output, 2 for complaints. */
static inline void text_to(int fd, const char *text) {
  sys_write(fd, text, text_length(text));
}

static inline void print(const char *text) {
  text_to(1, text);
}

/* Decimal digits of a number in a buffer of at least 24 bytes; returns where they begin. */
static inline char *text_of_number(int64_t number, char *buffer) {
  char *at = buffer + 23;
  uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
  *at = '\0';
  do *--at = (char)('0' + rest % 10);
  while ((rest /= 10) != 0);
  if (number < 0) *--at = '-';
  return at;
}

static inline void print_number(int64_t number) {
  char buffer[24];
  print(text_of_number(number, buffer));
}

/* The number at the start of a text; 0 when there is none. */
static inline int64_t number_of_text(const char *text) {
  int negative = *text == '-';
  int64_t number = 0;
  for (text += negative; *text >= '0' && *text <= '9'; text++) number = number * 10 + (*text - '0');
  return negative ? -number : number;
}

/* An error number in words, 0 for one that small programs do not meet. */
static inline const char *words_of_error(int64_t error) {
  switch (error) {
    case EPERM: return "not permitted";
    case ENOENT: return "no such file or directory";
    case ESRCH: return "no such process";
    case ENOEXEC: return "is no program for this machine";
    case ENOMEM: return "out of memory";
    case EAGAIN: return "too many processes";
    case EACCES: return "permission denied";
    case EBUSY: return "is in use";
    case EEXIST: return "exists already";
    case ENOTDIR: return "is not a directory";
    case EISDIR: return "is a directory";
    case ENOSPC: return "no space left";
    case ENOTEMPTY: return "is not empty";
    case EMSGSIZE: return "too long for one packet";
    case EADDRINUSE: return "somebody has that port already";
    case ENETUNREACH: return "no network leads there";
    case ECONNREFUSED: return "nobody listens there";
    case EHOSTUNREACH: return "no such machine answers";
    default: return 0;
  }
}

/* `PROGRAM: WHAT: words` on descriptor 2, for the negative result of a system call. */
static inline void complain(const char *program, const char *what, int64_t error) {
  char digits[24];
  const char *words = words_of_error(-error);
  text_to(2, program);
  text_to(2, ": ");
  text_to(2, what);
  text_to(2, words ? ": " : ": error ");
  text_to(2, words ? words : text_of_number(-error, digits));
  text_to(2, "\n");
}
