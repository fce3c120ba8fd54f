// poll, ppoll, select and pselect: timeouts not early, zero timeouts at once, wrong calls refused,
// select's and ppoll's times, and events that are there already.
#include "net.h"

#include <sys/select.h>

static void* body(void* unused) {
  int fds[2];
  CHECK_OK(pipe(fds));
  struct pollfd p[3] = {{fds[0], POLLIN, 0}, {-1, POLLIN, 99}, {fds[1], 0, 0}};
  int64_t start = now_ns(CLOCK_MONOTONIC);
  CHECK_EQ(poll(p, 3, 30), 0);
  CHECK(now_ns(CLOCK_MONOTONIC) - start >= 30 * MS);
  CHECK_EQ(p[1].revents, 0);
  struct timespec t = to_timespec(30 * MS);
  start = now_ns(CLOCK_MONOTONIC);
  CHECK_EQ(ppoll(p, 3, &t, NULL), 0);
  CHECK(now_ns(CLOCK_MONOTONIC) - start >= 30 * MS);
  CHECK_EQ(t.tv_nsec, 30 * MS);  // libc hides what the kernel writes back.
  CHECK_EQ(poll(p, 3, 0), 0);
  CHECK_EQ(poll(NULL, 0, 1), 0);

  fd_set reads, writes;
  FD_ZERO(&reads);
  FD_SET(fds[0], &reads);
  struct timeval tv = {0, 30000};
  start = now_ns(CLOCK_MONOTONIC);
  CHECK_EQ(select(fds[0] + 1, &reads, NULL, NULL, &tv), 0);
  CHECK(now_ns(CLOCK_MONOTONIC) - start >= 30 * MS);
  CHECK(!FD_ISSET(fds[0], &reads));
  CHECK(tv.tv_sec == 0 && tv.tv_usec == 0);  // Linux writes back what is left.
  tv = (struct timeval){0, 10000};
  CHECK_EQ(select(0, NULL, NULL, NULL, &tv), 0);
  start = now_ns(CLOCK_MONOTONIC);
  FD_SET(fds[0], &reads);
  CHECK_EQ(pselect(fds[0] + 1, &reads, NULL, NULL, &t, NULL), 0);
  CHECK(now_ns(CLOCK_MONOTONIC) - start >= 30 * MS);

  CHECK_EQ(write(fds[1], "x", 1), 1);
  p[2].events = POLLOUT;
  CHECK_EQ(poll(p, 3, -1), 2);
  CHECK_EQ(p[0].revents, POLLIN);
  CHECK_EQ(p[2].revents, POLLOUT);
  FD_ZERO(&reads);
  FD_ZERO(&writes);
  FD_SET(fds[0], &reads);
  FD_SET(fds[1], &writes);
  CHECK_EQ(select(FD_SETSIZE, &reads, &writes, NULL, NULL), 2);
  CHECK(FD_ISSET(fds[0], &reads) && FD_ISSET(fds[1], &writes));
  CHECK_OK(close(fds[1]));
  p[2].fd = -1;
  CHECK_EQ(poll(p, 3, -1), 1);
  CHECK_EQ(p[0].revents, POLLIN | POLLHUP);
  CHECK_OK(close(fds[0]));
  return unused;
}

int main(void) {
  pthread_t threads[8];
  for (int i = 0; i < 8; i++) threads[i] = spawn(body, NULL);
  for (int i = 0; i < 8; i++) join(threads[i]);
  int fds[2];
  CHECK_OK(pipe(fds));
  CHECK_OK(close(fds[0]));
  struct pollfd p = {fds[0], POLLIN, 0};
  CHECK_EQ(poll(&p, 1, -1), 1);
  CHECK_EQ(p.revents, POLLNVAL);
  fd_set reads;
  FD_ZERO(&reads);
  FD_SET(fds[0], &reads);
  CHECK_ERRNO(select(fds[0] + 1, &reads, NULL, NULL, NULL), EBADF);
  printf("8 threads\n");
}
