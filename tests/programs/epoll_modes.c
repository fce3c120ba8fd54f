// Level-triggered, edge-triggered and one-shot registrations report exactly what they promise, to a
// thread that blocks in epoll_wait while another writes.
#include "net.h"

#include <sys/epoll.h>

static int epoll, fds[2];

static void* write_later(void* unused) {
  sleep_ms(5);
  CHECK_EQ(write(fds[1], "abcd", 4), 4);
  return unused;
}

static int wait_events(int timeout) {
  struct epoll_event event = {0};
  int got = epoll_wait(epoll, &event, 1, timeout);
  CHECK(got == 0 || got == 1);
  if (got) CHECK_EQ(event.data.u64, 0x123456789abcdef0);
  return got ? (int)event.events : 0;
}

static void* body(void* unused) {
  char bytes[4];
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0x123456789abcdef0};
  CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &event));
  CHECK_ERRNO(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &event), EEXIST);
  pthread_t thread = spawn(write_later, NULL);
  CHECK_EQ(wait_events(-1), EPOLLIN);
  CHECK_EQ(wait_events(-1), EPOLLIN);  // Level: still there.
  CHECK_EQ(read(fds[0], bytes, 4), 4);
  CHECK_EQ(wait_events(0), 0);
  join(thread);

  event.events = EPOLLIN | EPOLLET;
  CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_MOD, fds[0], &event));
  thread = spawn(write_later, NULL);
  CHECK_EQ(wait_events(-1), EPOLLIN);
  join(thread);
  CHECK_EQ(wait_events(5), 0);  // Edge: told once.
  CHECK_EQ(read(fds[0], bytes, 2), 2);
  CHECK_EQ(wait_events(0), 0);
  CHECK_EQ(write(fds[1], "e", 1), 1);
  CHECK_EQ(wait_events(-1), EPOLLIN);
  CHECK_EQ(read(fds[0], bytes, 3), 3);

  event.events = EPOLLIN | EPOLLONESHOT;
  CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_MOD, fds[0], &event));
  thread = spawn(write_later, NULL);
  CHECK_EQ(wait_events(-1), EPOLLIN);
  join(thread);
  CHECK_EQ(wait_events(0), 0);
  CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_MOD, fds[0], &event));  // Armed again.
  CHECK_EQ(wait_events(-1), EPOLLIN);
  CHECK_EQ(read(fds[0], bytes, 4), 4);
  CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_DEL, fds[0], NULL));
  CHECK_ERRNO(epoll_ctl(epoll, EPOLL_CTL_MOD, fds[0], &event), ENOENT);
  int64_t start = now_ns(CLOCK_MONOTONIC);
  CHECK_EQ(wait_events(20), 0);
  CHECK(now_ns(CLOCK_MONOTONIC) - start >= 20 * MS);
  return unused;
}

int main(void) {
  epoll = epoll_create1(EPOLL_CLOEXEC);
  CHECK(epoll >= 0);
  for (int i = 0; i < 3; i++) {
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    join(spawn(body, NULL));
    CHECK_OK(close(fds[0]));
    CHECK_OK(close(fds[1]));
  }
  printf("three modes\n");
}
