// SPDX-License-Identifier: Apache-2.0
// Probes that Python cannot write: another mode of the processor, another identity, many processes.
// `gcc -static -no-pie -O1`: the addresses must fit 32 bits.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static int escaped(const char *text) {
  printf("ESCAPED %s\n", text);
  return 10;
}

static int blocked(const char *text) {
  printf("BLOCKED %s\n", text);
  return 0;
}

// Jumps to 32-bit code (segment 0x23), which asks for its process id by `int 0x80`, and comes back.
static int compat(void) {
  static const unsigned char code[] = {
      0xb8, 20, 0, 0, 0,  // mov eax, 20 (getpid)
      0xcd, 0x80,         // int 0x80
      0xcb,               // far return: to the 64-bit code
  };
  unsigned char *low = mmap((void *)0x10000000, 8192, PROT_READ | PROT_WRITE | PROT_EXEC,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  if (low == MAP_FAILED) return blocked("no memory there");
  memcpy(low, code, sizeof code);
  unsigned long stack = (unsigned long)low + 8000;
  long got;
  // the far call pushes 32-bit values onto a stack that 32-bit code can address
  static const struct {
    unsigned int offset;
    unsigned short segment;
  } __attribute__((packed)) target = {0x10000000, 0x23};
  __asm__ volatile(
      "mov %%rsp, %%r12\n\t"
      "mov %[stack], %%rsp\n\t"
      "lcall *(%[target])\n\t"
      "mov %%r12, %%rsp\n\t"
      : "=a"(got)
      : [stack] "r"(stack), [target] "r"(&target)
      : "r12", "memory", "cc", "rcx", "rdx", "r8", "r9", "r10", "r11");
  return (int)got == getpid() ? escaped("32-bit code") : blocked("no answer");
}

// openat(2) by its 32-bit number, which is that of preadv(2) for 64-bit programs.
static int int80_openat(void) {
  static const char path[] = "/";
  long result;
  __asm__ volatile("int $0x80"
                   : "=a"(result)
                   : "a"(295), "b"(-100), "c"(path), "d"(0), "S"(0)
                   : "memory", "r8", "r9", "r10", "r11");
  return result >= 0 ? escaped("openat by its 32-bit number") : blocked("int 0x80");
}

static int identity(void) {
  printf("%d %d\n", (int)getuid(), (int)geteuid());
  return 0;
}

enum { MANY = 1200 };

static int fork_bomb(void) {
  pid_t children[MANY];
  int count = 0, error = 0;
  for (; count < MANY; count++) {
    pid_t child = fork();
    if (child == 0) {
      pause();
      _exit(0);
    }
    if (child < 0) {
      error = errno;
      break;
    }
    children[count] = child;
  }
  for (int at = 0; at < count; at++) kill(children[at], SIGKILL);
  while (wait(NULL) > 0 || errno == EINTR) {
  }
  return error == 0 ? escaped("1200 processes") : blocked(error == EAGAIN ? "EAGAIN" : strerror(error));
}

int main(int count, char **arguments) {
  const char *which = count == 2 ? arguments[1] : "";
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (!strcmp(which, "compat")) return compat();
  if (!strcmp(which, "int80-openat")) return int80_openat();
  if (!strcmp(which, "identity")) return identity();
  if (!strcmp(which, "fork-bomb")) return fork_bomb();
  return 77;
}
