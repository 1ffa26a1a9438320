/*
 * The shell: reads a line, starts what it names, waits, and says how it ended.
 *
 *   ls /bin | wc          a pipe: what the first writes, the second reads
 *   say hi > /note        output to a file; >> appends, < reads
 *   spin &                not waited for; wait does, kill ends it
 *   fault; say $?         one after the other; $? is how the last one ended
 *
 * Each program is a child: fork makes a copy of the shell, and exec puts the program into the copy. Children of one line
 * form a process group that owns the console while it runs, so that Ctrl-C reaches them and not the shell.
 */
#include <text.h>

enum { LINE_BYTES = 1024, WORDS = 64, COMMANDS = 16, CONSOLE = 0 };

/* One program to start, with its words and where its input and output go. */
struct command {
  char *words[WORDS + 1];
  int count;
  char *input, *output;
  int appends;
};

static char line[LINE_BYTES], text[4 * LINE_BYTES];
static struct command commands[COMMANDS];
static int last_status;

/* ---- reading a line into words */

static int is_operator(char c) {
  return c == '|' || c == '&' || c == ';' || c == '<' || c == '>';
}

/* Splits one line; each word or operator is a string in `text`. Returns their number, -1 when a quote is not closed. */
static int split(const char *from, char **words, char *is_word, int limit) {
  char *to = text;
  int count = 0;
  while (*from != '\0') {
    if (*from == ' ' || *from == '\t') {
      from++;
      continue;
    }
    if (*from == '#' || count == limit) break;
    words[count] = to;
    is_word[count] = !is_operator(*from);
    if (is_operator(*from)) {
      *to++ = *from++;
      if (to[-1] == '>' && *from == '>') *to++ = *from++;
    } else
      while (*from != '\0' && *from != ' ' && *from != '\t' && !is_operator(*from)) {
        if (from[0] == '$' && from[1] == '?') {
          char digits[24];
          for (char *digit = text_of_number(last_status, digits); *digit != '\0'; digit++) *to++ = *digit;
          from += 2;
        } else if (*from == '"' || *from == '\'') {
          char quote = *from++;
          while (*from != '\0' && *from != quote) *to++ = *from++;
          if (*from++ != quote) return -1;
        } else *to++ = *from++;
      }
    *to++ = '\0';
    count++;
  }
  return count;
}

/* ---- what the shell does itself */

static const char *const help =
    "programs   NAME ARGUMENTS      whatever ls /bin shows\n"
    "pipes      A | B               files      > FILE   >> FILE   < FILE\n"
    "sequence   A ; B   A &         status     $?       quotes    'a b'  \"a b\"\n"
    "built in   cd DIRECTORY, pwd, mkdir, rm, rmdir, mv, kill PID, wait, exit STATUS, help\n"
    "Ctrl-C ends the program in front, Ctrl-D the shell.\n";

/* Returns whether the first word was one of the shell's own, with its outcome in last_status. */
static int run_builtin(struct command *command) {
  char **words = command->words;
  const char *name = words[0], *first = command->count > 1 ? words[1] : "";
  int64_t result = 0;
  if (text_equal(name, "exit")) sys_exit(command->count > 1 ? (int)number_of_text(first) : last_status);
  else if (text_equal(name, "help")) print(help);
  else if (text_equal(name, "cd")) result = sys_chdir(command->count > 1 ? first : "/");
  else if (text_equal(name, "mkdir")) result = sys_mkdir(first, 0755);
  else if (text_equal(name, "rm")) result = sys_unlink(first);
  else if (text_equal(name, "rmdir")) result = sys_rmdir(first);
  else if (text_equal(name, "mv")) result = sys_rename(first, command->count > 2 ? words[2] : "");
  else if (text_equal(name, "kill")) result = sys_kill((int)number_of_text(first), SIGTERM);
  else if (text_equal(name, "wait")) {
    while (sys_wait(-1, 0, 0) > 0) {}
  } else if (text_equal(name, "pwd")) {
    static char path[LINE_BYTES];
    sys_getcwd(path, sizeof path);
    print(path);
    print("\n");
  } else return 0;
  if (result < 0) complain(name, first, result);
  last_status = result < 0;
  return 1;
}

/* ---- starting programs */

static void open_as(int fd, const char *path, int flags) {
  int file = sys_open(path, flags, 0644);
  if (file < 0) {
    complain("sh", path, file);
    sys_exit(1);
  }
  sys_dup(file, fd);
  sys_close(file);
}

/* In the child: never returns. */
static void become(struct command *command) {
  static char path[LINE_BYTES];
  const char *name = command->words[0];
  int has_slash = 0;
  for (const char *at = name; *at != '\0'; at++) has_slash |= *at == '/';
  if (command->input) open_as(0, command->input, O_RDONLY);
  if (command->output) open_as(1, command->output, O_WRONLY | O_CREAT | (command->appends ? O_APPEND : O_TRUNC));
  sys_ignore(SIGINT, 0);
  if (run_builtin(command)) sys_exit(last_status);
  size_t at = 0;
  for (const char *from = has_slash ? "" : "/bin/"; *from != '\0'; from++) path[at++] = *from;
  for (const char *from = name; *from != '\0' && at < sizeof path - 1; from++) path[at++] = *from;
  path[at] = '\0';
  command->words[command->count] = 0;
  int error = sys_exec(path, command->words, 0);
  if (error == -ENOENT && !has_slash) {
    text_to(2, "sh: ");
    text_to(2, name);
    text_to(2, ": no such program; try help\n");
  } else complain("sh", name, error);
  sys_exit(127);
}

/* Starts the programs of one line, each writing into the next; waits unless they are to run behind. */
static void run_pipeline(int count, int behind) {
  if (count == 1 && !behind && !commands[0].input && !commands[0].output && run_builtin(&commands[0])) return;
  int group = 0, last = 0, incoming = -1;
  for (int i = 0; i < count; i++) {
    int ends[2] = {-1, -1};
    if (i + 1 < count && sys_pipe(ends) < 0) break;
    int child = sys_fork();
    if (child == 0) {
      sys_setgroup(0, group);
      if (incoming >= 0) sys_dup(incoming, 0), sys_close(incoming);
      if (ends[1] >= 0) sys_dup(ends[1], 1), sys_close(ends[1]), sys_close(ends[0]);
      become(&commands[i]);
    }
    if (incoming >= 0) sys_close(incoming);
    if (ends[1] >= 0) sys_close(ends[1]);
    incoming = ends[0];
    if (child < 0) {
      complain("sh", "fork", child);
      break;
    }
    if (group == 0) group = child;
    sys_setgroup(child, group);
    last = child;
  }
  if (incoming >= 0) sys_close(incoming);
  if (last == 0) return;
  if (behind) {
    print("[");
    print_number(last);
    print("]\n");
    return;
  }
  sys_foreground(group);
  int child, status;
  while ((child = sys_wait(-1, &status, 0)) > 0) {
    if (child != last) continue;
    last_status = status < ENDED_BY_SIGNAL ? status : 128 + status - ENDED_BY_SIGNAL;
    if (status == ENDED_BY_SIGNAL + SIGINT) print("\n");
    break;
  }
  sys_foreground(sys_getpid());
}

/* ---- a line */

static void complain_of(const char *what) {
  text_to(2, "sh: ");
  text_to(2, what);
  text_to(2, "\n");
  last_status = 2;
}

static void run_line(void) {
  static char *words[4 * WORDS];
  static char is_word[4 * WORDS];
  int count = split(line, words, is_word, 4 * WORDS);
  if (count < 0) return complain_of("a quote is not closed");
  int at = 0;
  while (at < count) {
    int number = 0, behind = 0;
    for (;;) {
      struct command *command = &commands[number++];
      *command = (struct command){0};
      while (at < count && (is_word[at] || words[at][0] == '<' || words[at][0] == '>')) {
        if (is_word[at]) {
          if (command->count == WORDS) return complain_of("too many words");
          command->words[command->count++] = words[at++];
          continue;
        }
        if (at + 1 == count || !is_word[at + 1]) return complain_of("a file name is missing");
        if (words[at][0] == '<') command->input = words[at + 1];
        else command->output = words[at + 1], command->appends = words[at][1] == '>';
        at += 2;
      }
      if (command->count == 0) return complain_of("a program is missing");
      if (at == count || words[at][0] != '|') break;
      if (number == COMMANDS) return complain_of("too many programs");
      at++;
    }
    if (at < count) behind = words[at++][0] == '&';
    run_pipeline(number, behind);
  }
}

/* Reads one line; 0 at the end of the input. */
static int read_line(void) {
  size_t length = 0;
  for (;;) {
    int64_t got = sys_read(CONSOLE, line + length, 1);
    if (got <= 0 && length == 0) return 0;
    if (got <= 0 || line[length] == '\n' || length == sizeof line - 2) break;
    length++;
  }
  line[length] = '\0';
  return 1;
}

void _start(void) {
  sys_ignore(SIGINT, 1);
  print("Type help for what there is.\n");
  for (;;) {
    while (sys_wait(-1, 0, WAIT_POLL) > 0) {}
    print("atoll$ ");
    if (!read_line()) break;
    run_line();
  }
  print("\n");
  sys_exit(last_status);
}
