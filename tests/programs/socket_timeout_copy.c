// SO_RCVTIMEO belongs to the socket: set through one number it holds for its copies, also below 0,
// which means not to wait, and after the copy has been waited on.
#include "net.h"

#include <sys/time.h>

static int pair[2], copy;
static char byte;

static void set(int fd, long seconds, long us) {
  struct timeval timeout = {seconds, us};
  CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout));
}

static void* receives(void* fd) {
  CHECK_EQ(recv((int)(intptr_t)fd, &byte, 1, 0), 1);
  return NULL;
}

static void times_out(int fd, int64_t least_ms) {
  int64_t began = now_ns(CLOCK_MONOTONIC);
  CHECK(recv(fd, &byte, 1, 0) == -1 && errno == EAGAIN);
  CHECK(now_ns(CLOCK_MONOTONIC) - began >= least_ms * MS);
}

int main(void) {
  CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  CHECK((copy = dup(pair[0])) >= 0);
  pthread_t thread = spawn(receives, (void*)(intptr_t)copy);
  sleep_ms(10);
  CHECK_EQ(write(pair[1], "x", 1), 1);
  join(thread);
  set(pair[0], 0, 30000);
  times_out(copy, 25);
  set(copy, 0, 60000);
  times_out(pair[0], 55);
  set(pair[0], -1, 0);
  times_out(copy, 0);
  set(copy, 0, 20000);
  times_out(pair[0], 15);
  set(copy, -1, 0);
  times_out(pair[0], 0);
  puts("one timeout for all numbers");
}
