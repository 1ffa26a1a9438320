#pragma once
/*
 * A line editor for the console in raw mode (TTY_RAW), where every key arrives as it is pressed and nobody echoes it.
 *
 *   left right   Home End   Ctrl-A Ctrl-E     move        up down    earlier lines and back
 *   Backspace    Delete     Ctrl-U            remove      Ctrl-L     clear the screen
 *   Ctrl-C       give the line up             Ctrl-D      the end, on an empty line
 *
 * Keys without a character of their own arrive as ESC [ and more (ECMA-48); such sequences move the cursor on the way out.
 * A line that is wider than the screen can be written, but is only drawn well at its end.
 */
#include <text.h>

enum { EDIT_BYTES = 1024, EDIT_HISTORY = 16 };
enum { CTRL_A = 1, CTRL_C = 3, CTRL_D = 4, CTRL_E = 5, BACKSPACE = 8, CTRL_L = 12, CTRL_U = 21, ESCAPE = 27, DELETE = 127 };

static char edit_line[EDIT_BYTES];
static size_t edit_length, edit_cursor;

/* The last lines in a ring. Line number `edit_count` is the one being written; `edit_shown` is the one on the screen. */
static char edit_history[EDIT_HISTORY][EDIT_BYTES];
static unsigned edit_count, edit_shown;

/* Bytes 10xxxxxx continue a character of UTF-8 and take no column of their own. */
static inline int edit_continues(char byte) {
  return (byte & 0xc0) == 0x80;
}

static inline void edit_copy(char *to, const char *from) {
  while ((*to++ = *from++) != '\0') {}
}

/* Writes prompt and line anew, and puts the cursor where it belongs. */
static inline void edit_draw(const char *prompt) {
  int columns = 0;
  for (size_t at = edit_cursor; at < edit_length; at++) columns += !edit_continues(edit_line[at]);
  print("\r");
  print(prompt);
  sys_write(1, edit_line, edit_length);
  print("\033[K");
  if (columns == 0) return;
  print("\033[");
  print_number(columns);
  print("D");
}

static inline void edit_left(void) {
  if (edit_cursor == 0) return;
  do edit_cursor--;
  while (edit_cursor > 0 && edit_continues(edit_line[edit_cursor]));
}

static inline void edit_right(void) {
  if (edit_cursor == edit_length) return;
  do edit_cursor++;
  while (edit_cursor < edit_length && edit_continues(edit_line[edit_cursor]));
}

/* Removes the bytes from `start` to `end`; the cursor is then at `start`. */
static inline void edit_remove(size_t start, size_t end) {
  edit_cursor = start;
  while (end < edit_length) edit_line[start++] = edit_line[end++];
  edit_length = start;
}

static inline void edit_delete(void) {
  size_t start = edit_cursor;
  edit_right();
  edit_remove(start, edit_cursor);
}

/* Puts one byte in at the cursor; a full line answers with the bell. At the end of the line its own echo is enough. */
static inline void edit_insert(const char *prompt, char byte) {
  if (edit_length == EDIT_BYTES - 1) {
    print("\a");
    return;
  }
  for (size_t at = edit_length++; at > edit_cursor; at--) edit_line[at] = edit_line[at - 1];
  edit_line[edit_cursor++] = byte;
  if (edit_cursor == edit_length) sys_write(1, &byte, 1);
  else edit_draw(prompt);
}

/* Shows an earlier line or a later one, when there is one. What was being written is kept for the way back. */
static inline void edit_show(unsigned number) {
  unsigned kept = edit_count < EDIT_HISTORY ? edit_count : EDIT_HISTORY - 1;
  if (number > edit_count || edit_count - number > kept) return;
  edit_line[edit_length] = '\0';
  if (edit_shown == edit_count) edit_copy(edit_history[edit_count % EDIT_HISTORY], edit_line);
  edit_shown = number;
  edit_copy(edit_line, edit_history[number % EDIT_HISTORY]);
  edit_cursor = edit_length = text_length(edit_line);
}

static inline void edit_remember(void) {
  if (edit_length == 0) return;
  if (edit_count > 0 && text_equal(edit_line, edit_history[(edit_count - 1) % EDIT_HISTORY])) return;
  edit_copy(edit_history[edit_count++ % EDIT_HISTORY], edit_line);
}

/* The next key, -1 at the end of the input. */
static inline int edit_key(void) {
  unsigned char byte;
  return sys_read(0, &byte, 1) == 1 ? byte : -1;
}

/* What follows ESC: [ or O, perhaps digits, and a letter or ~ that ends it. */
static inline void edit_escape(void) {
  int key = edit_key(), digit = 0;
  if (key != '[' && key != 'O') return;
  while ((key = edit_key()) >= '0' && key <= ';') digit = key;
  if (key == 'A') edit_show(edit_shown - 1);
  else if (key == 'B') edit_show(edit_shown + 1);
  else if (key == 'C') edit_right();
  else if (key == 'D') edit_left();
  else if (key == 'H' || (key == '~' && digit == '1')) edit_cursor = 0;
  else if (key == 'F' || (key == '~' && digit == '4')) edit_cursor = edit_length;
  else if (key == '~' && digit == '3') edit_delete();
}

/* Lets a person write a line. Returns it without its newline, or 0 at the end of the input. */
static inline char *edit(const char *prompt) {
  edit_length = edit_cursor = 0;
  edit_shown = edit_count;
  print(prompt);
  for (;;) {
    int key = edit_key();
    if (key == '\r' || key == '\n' || (key < 0 && edit_length > 0)) break;
    if (key < 0 || (key == CTRL_D && edit_length == 0)) return 0;
    if ((key >= ' ' && key != DELETE) || key == '\t') {
      edit_insert(prompt, key == '\t' ? ' ' : (char)key);
      continue;
    }
    if (key == CTRL_C) {
      print("^C\n");
      edit_length = edit_cursor = 0;
      edit_shown = edit_count;
    } else if (key == BACKSPACE || key == DELETE) {
      size_t end = edit_cursor;
      edit_left();
      edit_remove(edit_cursor, end);
    } else if (key == CTRL_A) edit_cursor = 0;
    else if (key == CTRL_E) edit_cursor = edit_length;
    else if (key == CTRL_U) edit_remove(0, edit_cursor);
    else if (key == CTRL_L) print("\033[2J\033[H");
    else if (key == ESCAPE) edit_escape();
    edit_draw(prompt);
  }
  print("\n");
  edit_line[edit_length] = '\0';
  edit_remember();
  return edit_line;
}
