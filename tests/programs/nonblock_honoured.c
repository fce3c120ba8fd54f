// O_NONBLOCK, however it is set, gives EAGAIN at once; nobody else changes the flags, and a
// blocking descriptor stays so for a process that shares it.
#include "net.h"

#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>

static void expect_eagain(int fd) {
  uint64_t bytes;
  int flags = fcntl(fd, F_GETFL);
  CHECK(flags & O_NONBLOCK);
  for (int i = 0; i < 3; i++) CHECK_ERRNO(read(fd, &bytes, sizeof bytes), EAGAIN);
  CHECK_EQ(fcntl(fd, F_GETFL), flags);
}

static void* reader(void* fd) {
  char byte;
  CHECK_EQ(read((int)(intptr_t)fd, &byte, 1), 1);
  return NULL;
}

static void* body(void* unused) {
  int fds[2], on = 1, off = 0;
  for (int kind = 0; kind < 3; kind++) {
    if (kind == 0) CHECK_OK(pipe(fds));
    if (kind == 1) CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    if (kind == 2) tcp_pair(fds);
    int before = fcntl(fds[0], F_GETFL);
    CHECK_EQ(before & O_NONBLOCK, 0);
    pthread_t thread = spawn(reader, (void*)(intptr_t)fds[0]);
    sleep_ms(2);
    CHECK_EQ(fcntl(fds[0], F_GETFL), before);  // Also while a thread waits on it.
    CHECK_EQ(write(fds[1], "x", 1), 1);
    join(thread);
    CHECK_OK(ioctl(fds[0], FIONBIO, &on));
    expect_eagain(fds[0]);
    CHECK_OK(ioctl(fds[0], FIONBIO, &off));
    CHECK_EQ(fcntl(fds[0], F_GETFL), before);
    int copy = dup(fds[0]);
    CHECK_OK(fcntl(copy, F_SETFL, before | O_NONBLOCK));
    expect_eagain(fds[0]);  // The flag belongs to what both share.
    CHECK_OK(fcntl(fds[0], F_SETFL, before));
    CHECK_EQ(fcntl(copy, F_GETFL), before);
    CHECK_OK(close(copy));
    CHECK_OK(close(fds[0]));
    CHECK_OK(close(fds[1]));
  }
  CHECK_OK(pipe2(fds, O_NONBLOCK));
  expect_eagain(fds[0]);
  CHECK_OK(close(fds[0]));
  CHECK_OK(close(fds[1]));
  int event = eventfd(0, EFD_NONBLOCK), timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  expect_eagain(event);
  expect_eagain(timer);
  CHECK_OK(close(event));
  CHECK_OK(close(timer));
  int listener = tcp_listen(1);
  CHECK_OK(ioctl(listener, FIONBIO, &on));
  CHECK_ERRNO(accept(listener, NULL, NULL), EAGAIN);
  CHECK_OK(close(listener));
  return unused;
}

int main(void) {
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) threads[i] = spawn(body, NULL);
  for (int i = 0; i < 4; i++) join(threads[i]);
  printf("flags honoured\n");
}
