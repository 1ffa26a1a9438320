/*
 * The shell: reads a line, starts what it names, waits, and says how it ended.
 *
 *   ls /bin | wc          a pipe: what the first writes, the second reads
 *   say hi > /note        output to a file; >> appends, < reads
 *   spin &                not waited for; wait does, kill ends it
 *   fault; say $?         one after the other; $? is how the last one ended
 *
 * Each program is a child: fork makes a copy of the shell, and exec puts the program into the copy. Children of one line
 * form a process group that owns the console while it runs, so that Ctrl-C reaches them and not the shell. A shell that
 * reads from a file or a pipe prints no prompt and leaves groups and the console alone.
 */
#include <edit.h>

enum { LINE_BYTES = EDIT_BYTES, WORDS = 64, COMMANDS = 16 };

/* One program to start, with its words and where its input and output go. */
struct command {
  char *words[WORDS + 1];
  int count;
  char *input, *output;
  int appends;
};

static char text[4 * LINE_BYTES];
static struct command commands[COMMANDS];
static int last_status;
/* A person at the console types to this shell. */
static int interactive;
/* The group of what runs behind, 0 when nothing does. */
static int group_behind;

/* ---- whose the console is */

/* Lines and Ctrl-C are for the group from now on. */
static void give_console(int group) {
  if (!interactive) return;
  sys_ttymode(0, TTY_CANONICAL);
  sys_foreground(group);
}

/* Every key is for the shell again. */
static void take_console(void) {
  if (!interactive) return;
  sys_foreground(sys_getpid());
  sys_ttymode(0, TTY_RAW);
}

static void leave(int status) {
  if (interactive) sys_ttymode(0, TTY_CANONICAL);
  sys_exit(status);
}

/* ---- reading a line into words */

static int is_operator(char c) {
  return c == '|' || c == '&' || c == ';' || c == '<' || c == '>';
}

/*
 * Splits the line at `*line` up to and with the first ; or &, and moves `*line` behind it. Each word or operator is a string
 * in `text`. Returns their number, never more than `limit`; -1 when a quote is not closed. $? stands for the last status,
 * except between single quotes: that is why a line is not split as a whole.
 */
static int split(const char **line, char **words, char *is_word, int limit) {
  const char *from = *line;
  char *to = text;
  int count = 0;
  while (*from != '\0') {
    if (*from == ' ' || *from == '\t') {
      from++;
      continue;
    }
    if (*from == '#') from += text_length(from);
    if (*from == '\0' || count == limit) break;
    words[count] = to;
    is_word[count] = !is_operator(*from);
    if (is_operator(*from)) {
      *to++ = *from++;
      if (to[-1] == '>' && *from == '>') *to++ = *from++;
    } else
      for (char quote = '\0'; *from != '\0';) {
        if (quote == '\0' && (*from == ' ' || *from == '\t' || is_operator(*from))) break;
        if (quote != '\'' && from[0] == '$' && from[1] == '?') {
          char digits[24];
          for (char *digit = text_of_number(last_status, digits); *digit != '\0'; digit++) *to++ = *digit;
          from += 2;
        } else if (*from == quote) quote = '\0', from++;
        else if (quote == '\0' && (*from == '"' || *from == '\'')) quote = *from++;
        else *to++ = *from++;
        if (*from == '\0' && quote != '\0') return -1;
      }
    *to++ = '\0';
    if (!is_word[count++] && (to[-2] == ';' || to[-2] == '&')) break;
  }
  *line = from;
  return count;
}

/* ---- what the shell does itself */

static const char *const help =
    "programs   NAME ARGUMENTS      whatever ls /bin shows\n"
    "pipes      A | B               files      > FILE   >> FILE   < FILE\n"
    "sequence   A ; B   A &         status     $?       quotes    'a b'  \"a b\"\n"
    "built in   cd DIRECTORY, pwd, mkdir, rm, rmdir, mv, kill PID, wait, exit STATUS, help\n"
    "keys       arrows edit the line and bring back earlier ones; Ctrl-L clears the screen\n"
    "Ctrl-C ends the program in front, Ctrl-D the shell.\n";

/* The same for every argument; says which of them failed. */
static int for_each(const struct command *command, int (*act)(const char *path)) {
  int failed = 0;
  for (int i = 1; i < command->count; i++) {
    int result = act(command->words[i]);
    if (result < 0) complain(command->words[0], command->words[i], result), failed = 1;
  }
  return failed;
}

static int make_directory(const char *path) {
  return sys_mkdir(path, 0755);
}

/* Waits for everything that runs behind. It has the console meanwhile, so that Ctrl-C ends it. */
static void wait_for_all(void) {
  if (group_behind != 0) give_console(group_behind);
  while (sys_wait(-1, 0, 0) > 0) {}
  take_console();
  group_behind = 0;
}

/* Returns whether the first word was one of the shell's own, with its outcome in last_status. */
static int run_builtin(struct command *command) {
  char **words = command->words;
  const char *name = words[0], *first = command->count > 1 ? words[1] : "";
  int64_t result = 0;
  int failed = 0;
  if (text_equal(name, "exit")) leave(command->count > 1 ? (int)number_of_text(first) : last_status);
  else if (text_equal(name, "help")) print(help);
  else if (text_equal(name, "cd")) result = sys_chdir(command->count > 1 ? first : "/");
  else if (text_equal(name, "mkdir")) failed = for_each(command, make_directory);
  else if (text_equal(name, "rm")) failed = for_each(command, sys_unlink);
  else if (text_equal(name, "rmdir")) failed = for_each(command, sys_rmdir);
  else if (text_equal(name, "mv")) result = sys_rename(first, command->count > 2 ? words[2] : "");
  else if (text_equal(name, "kill")) {
    /* To the kernel, 0 is the caller itself. */
    int pid = (int)number_of_text(first);
    result = pid > 0 ? sys_kill(pid, SIGTERM) : -ESRCH;
  } else if (text_equal(name, "wait")) wait_for_all();
  else if (text_equal(name, "pwd")) {
    static char path[LINE_BYTES];
    sys_getcwd(path, sizeof path);
    print(path);
    print("\n");
  } else return 0;
  if (result < 0) complain(name, first, result);
  last_status = failed || result < 0;
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

/* In the child: never returns. A builtin there works on the copy of the shell, which then ends. */
static void become(struct command *command) {
  static char path[LINE_BYTES];
  const char *name = command->words[0];
  int has_slash = 0;
  for (const char *at = name; *at != '\0'; at++) has_slash |= *at == '/';
  interactive = 0;
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

static const char *words_of_signal(int signal) {
  switch (signal) {
    case SIGINT: return ": interrupted\n";
    case SIGILL: return ": illegal instruction\n";
    case SIGABRT: return ": aborted\n";
    case SIGFPE: return ": arithmetic error\n";
    case SIGKILL: return ": killed\n";
    case SIGSEGV: return ": touched memory that is not its own\n";
    case SIGTERM: return ": terminated\n";
    default: return ": ended by a signal\n";
  }
}

/* Sleeps until all programs of a pipeline have ended; the last one's status is the line's. */
static void wait_for(const int *children, int count) {
  for (int i = 0; i < count; i++) {
    int status = 0;
    sys_wait(children[i], &status, 0);
    if (i + 1 < count) continue;
    last_status = status < ENDED_BY_SIGNAL ? status : 128 + status - ENDED_BY_SIGNAL;
    /* A writer that nobody reads did nothing wrong. */
    if (status < ENDED_BY_SIGNAL || status == ENDED_BY_SIGNAL + SIGPIPE) continue;
    text_to(2, "sh: ");
    text_to(2, commands[i].words[0]);
    text_to(2, words_of_signal(status - ENDED_BY_SIGNAL));
  }
}

/* Starts the programs of one line, each writing into the next; waits unless they are to run behind. */
static void run_pipeline(int count, int behind) {
  if (count == 1 && !behind && !commands[0].input && !commands[0].output && run_builtin(&commands[0])) return;
  int children[COMMANDS], started = 0, incoming = -1, group = behind ? group_behind : 0;
  if (behind && !commands[0].input) commands[0].input = "/dev/null";
  for (; started < count; started++) {
    int ends[2] = {-1, -1}, is_last = started + 1 == count;
    int child = is_last ? 0 : sys_pipe(ends);
    if (child == 0) child = sys_fork();
    if (child == 0) {
      if (interactive) sys_setgroup(0, group);
      if (incoming >= 0) sys_dup(incoming, 0), sys_close(incoming);
      if (!is_last) sys_dup(ends[1], 1), sys_close(ends[1]), sys_close(ends[0]);
      become(&commands[started]);
    }
    if (incoming >= 0) sys_close(incoming);
    if (!is_last) sys_close(ends[1]);
    incoming = ends[0];
    if (child < 0) {
      complain("sh", commands[started].words[0], child);
      last_status = 1;
      break;
    }
    children[started] = child;
    if (group == 0) group = child;
    if (interactive) sys_setgroup(child, group);
    if (started == 0 && !behind) give_console(group);
  }
  if (incoming >= 0) sys_close(incoming);
  if (started == 0) return;
  if (!behind) {
    wait_for(children, started);
    take_console();
    return;
  }
  group_behind = group;
  if (!interactive) return;
  print("[");
  print_number(children[started - 1]);
  print("]\n");
}

/* ---- a line */

/* Returns 0. */
static int complain_of(const char *what) {
  text_to(2, "sh: ");
  text_to(2, what);
  text_to(2, "\n");
  last_status = 2;
  return 0;
}

/* Reads words into `commands`: programs with | between, then perhaps ; or &. Returns their number, 0 if it complained. */
static int parse(char **words, const char *is_word, int count, int *behind) {
  int at = 0, number = 0;
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
  *behind = at < count && words[at][0] == '&';
  return number;
}

/* Runs a line, one pipeline after the other; the first mistake ends it. */
static void run_line(const char *line) {
  static char *words[WORDS * 2];
  static char is_word[WORDS * 2];
  for (;;) {
    int behind, count = split(&line, words, is_word, WORDS * 2);
    if (count == 0) return;
    int number = count < 0           ? complain_of("a quote is not closed")
                 : count == WORDS * 2 ? complain_of("too many words")
                                      : parse(words, is_word, count, &behind);
    if (number == 0) return;
    run_pipeline(number, behind);
  }
}

/* Reads one line of a file or a pipe, byte by byte: what follows is for the programs it starts. 0 at the end. */
static char *read_line(void) {
  static char line[LINE_BYTES];
  size_t length = 0;
  while (length < sizeof line - 1 && sys_read(0, line + length, 1) == 1) {
    if (line[length] == '\n') {
      line[length] = '\0';
      return line;
    }
    length++;
  }
  line[length] = '\0';
  return length > 0 ? line : 0;
}

void _start(void) {
  interactive = sys_ttymode(0, TTY_RAW) >= 0;
  if (interactive) {
    sys_setgroup(0, 0);
    sys_ignore(SIGINT, 1);
    take_console();
    print("Type help for what there is.\n");
  }
  for (;;) {
    int ended;
    while ((ended = sys_wait(-1, 0, WAIT_POLL)) > 0) {}
    if (ended == -ECHILD) group_behind = 0;
    const char *line = interactive ? edit("atoll$ ") : read_line();
    if (line == 0) break;
    run_line(line);
  }
  if (interactive) print("\n");
  leave(last_status);
}
