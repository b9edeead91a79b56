// SPDX-License-Identifier: Apache-2.0
// Preloaded into Node, which marks inherited descriptors close-on-exec when it starts: 9 and 10 stay
// open for whatever it starts, as they do in programs that are less careful.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/ioctl.h>

static int is_ours(int fd) { return fd == 9 || fd == 10; }

int ioctl(int fd, unsigned long request, ...) {
  va_list list;
  va_start(list, request);
  void *argument = va_arg(list, void *);
  va_end(list);
  if (request == FIOCLEX && is_ours(fd)) return 0;
  int (*next)(int, unsigned long, void *) = dlsym(RTLD_NEXT, "ioctl");
  return next(fd, request, argument);
}

static int control(const char *name, int fd, int command, void *argument) {
  if (command == F_SETFD && is_ours(fd)) return 0;
  int (*next)(int, int, void *) = dlsym(RTLD_NEXT, name);
  return next(fd, command, argument);
}

int fcntl(int fd, int command, ...) {
  va_list list;
  va_start(list, command);
  void *argument = va_arg(list, void *);
  va_end(list);
  return control("fcntl", fd, command, argument);
}

int fcntl64(int fd, int command, ...) {
  va_list list;
  va_start(list, command);
  void *argument = va_arg(list, void *);
  va_end(list);
  return control("fcntl64", fd, command, argument);
}
