// What the families of coverage cases share. A case is a row
//
//   BLOCKS(function, system_call, prepare, call, release)
//
// in a family's .inc: after `prepare`, `call` on one thread must not return before `release`,
// while another thread goes on counting. LASTS has no `release`: the call ends by itself, after
// more than 20 ms. RUNS ends whenever the disk has done its work. What the call returned, its errno
// and `data` are printed, to be compared with the native run. Each case has a process of its own.
#pragma once
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/programs/net.h"

// The case's own; a process runs one.
static int fd[2] = {-1, -1};
static int peer __attribute__((unused)) = -1;
static char data[1 << 17];
static volatile int returned;  // the call under test
static pid_t child __attribute__((unused));

// What would outlive the process goes.
static void (*at_end)(void) __attribute__((unused));

static inline struct iovec* iov(size_t size) {
  static struct iovec one;
  one.iov_base = data;
  one.iov_len = size;
  return &one;
}

// As a return value: 0 or -1.
static inline long ok(int wanted) { return wanted ? 0 : -1; }

static inline void make_pipe(void) { CHECK_OK(pipe(fd)); }

// To the last page; how many went in.
static inline long fill(int to) {
  int flags = fcntl(to, F_GETFL);
  CHECK_OK(fcntl(to, F_SETFL, flags | O_NONBLOCK));
  static char page[4096];
  long pages = 0;
  while (write(to, page, sizeof page) > 0) pages++;
  CHECK_EQ(errno, EAGAIN);
  CHECK_OK(fcntl(to, F_SETFL, flags));
  return pages;
}

// Also what the kernel makes room for by moving bytes to the other side after a while.
static inline void fill_for_good(int to) {
  for (int quiet = 0; quiet < 3; sleep_ms(10)) quiet = fill(to) ? 0 : quiet + 1;
}

// Everything that is there now.
static inline void drain(int from) {
  static char page[65536];
  while (recv(from, page, sizeof page, MSG_DONTWAIT) > 0) continue;
  if (errno != ENOTSOCK) return;
  struct pollfd p = {from, POLLIN, 0};
  while (poll(&p, 1, 0) == 1 && read(from, page, sizeof page) > 0) continue;
}

static inline void make_full_pipe(void) {
  make_pipe();
  fill(fd[1]);
}

static inline void hello(int to) { write_all(to, "hello\n", 6); }
