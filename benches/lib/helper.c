// SPDX-License-Identifier: Apache-2.0
// What cannot be measured or arranged from JavaScript. Built with `cc -O2`.
//   helper exec PROGRAM          for each byte on stdin: start the program bare, wait, say nanoseconds
//   helper steady FILE COUNT     nanoseconds a call of open+close, stat, getppid; of starting /usr/bin/true
//   helper no-userns PROGRAM...  the program without user namespaces, as in a default container
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

// posix_spawn of glibc is clone(CLONE_VM | CLONE_VFORK) and exec
static int start(const char *program) {
  char *argv[] = {(char *)program, NULL};
  pid_t child;
  int status;
  if (posix_spawn(&child, program, NULL, NULL, argv, environ) != 0) return 1;
  return waitpid(child, &status, 0) < 0 || status != 0;
}

static int bare(const char *program) {
  char byte;
  while (read(0, &byte, 1) == 1) {
    long long from = now();
    if (start(program)) return 1;
    printf("%lld\n", now() - from);
    fflush(stdout);
  }
  return 0;
}

enum { SPAWNS = 100 };

static int steady(const char *file, long count) {
  struct stat found;
  long long from = now();
  for (long at = 0; at < count; at++) {
    int fd = open(file, O_RDONLY);
    if (fd < 0) return 1;
    close(fd);
  }
  long long opened = now();
  for (long at = 0; at < count; at++) {
    if (stat(file, &found)) return 1;
  }
  long long statted = now();
  for (long at = 0; at < count; at++) syscall(SYS_getppid);
  long long asked = now();
  for (int at = 0; at < SPAWNS; at++) {
    if (start("/usr/bin/true")) return 1;
  }
  long long spawned = now();
  printf("{\"open_close\":%lld,\"stat\":%lld,\"getppid\":%lld,\"spawn\":%lld}\n",
         (opened - from) / count, (statted - opened) / count, (asked - statted) / count,
         (spawned - asked) / SPAWNS);
  return 0;
}

#define DENY_IF(bit) \
  BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bit, 0, 1), \
  BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

// clone3 is as absent as a container makes it, since its flags lie in memory
static int no_userns(char **argv) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
      DENY_IF(CLONE_NEWUSER),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof code / sizeof *code, code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return 1;
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) return 1;
  execv(argv[0], argv);
  return 127;
}

int main(int count, char **argv) {
  if (count == 3 && !strcmp(argv[1], "exec")) return bare(argv[2]);
  if (count == 4 && !strcmp(argv[1], "steady")) return steady(argv[2], atol(argv[3]));
  if (count >= 3 && !strcmp(argv[1], "no-userns")) return no_userns(argv + 2);
  return 64;
}
