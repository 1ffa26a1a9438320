/*
 * The first program of a Linux that boots on the machine: a shell of a few words on the console. It says what it finds, so that a test
 * can see that memory, clock, interrupts, processes and signals work, and `off` switches the machine off.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void show(const char *path)
{
    char bytes[4096];
    int file = open(path, O_RDONLY);
    ssize_t length;
    while (file >= 0 && (length = read(file, bytes, sizeof bytes)) > 0)
        write(1, bytes, (size_t)length);
    close(file);
}

/* A child that computes in SSE and x87 and ends with what came out, and one that a signal ends. */
static void processes(void)
{
    int status;
    if (fork() == 0) {
        volatile double half = 0.5;
        volatile long double third = 1.0L / 3;
        _exit((int)(half * 64 + (double)(third * 30)));
    }
    wait(&status);
    printf("child: %d\n", WEXITSTATUS(status));
    if (fork() == 0)
        *(volatile int *)8 = 1;
    wait(&status);
    printf("child: %s\n", WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV ? "segmentation fault" : "?");
}

static void nap(void)
{
    struct timespec before, after, time = {0, 100000000};
    clock_gettime(CLOCK_MONOTONIC, &before);
    nanosleep(&time, 0);
    clock_gettime(CLOCK_MONOTONIC, &after);
    long ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
    printf("slept: %s\n", ms >= 100 && ms < 150 ? "100 ms" : "wrong");
}

int main(void)
{
    char line[80];
    struct utsname name;
    mount("proc", "/proc", "proc", 0, 0);
    uname(&name);
    printf("init: %s %s\n", name.sysname, name.machine);
    for (;;) {
        fputs("# ", stdout);
        fflush(stdout);
        if (fgets(line, sizeof line, stdin) == 0)
            strcpy(line, "off\n");
        line[strcspn(line, "\r\n")] = 0;
        if (strcmp(line, "processes") == 0)
            processes();
        else if (strcmp(line, "nap") == 0)
            nap();
        else if (strncmp(line, "cat ", 4) == 0)
            show(line + 4);
        else if (strcmp(line, "off") == 0)
            break;
        else if (line[0])
            printf("%s: no such word\n", line);
    }
    puts("init: off");
    sync();
    reboot(RB_POWER_OFF);
}
