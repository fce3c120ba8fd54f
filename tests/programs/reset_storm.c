// Connections end by RST while threads read from them, write to them or poll them: each call ends,
// with what came before, ECONNRESET or EPIPE, and SIGPIPE where it belongs.
#include <signal.h>

#include "net.h"

enum { kThreads = 8 };
static int rounds;
static volatile sig_atomic_t broken;

static void count(int sig) { broken++; }

static void reset(int fd) {
  struct linger at_once = {1, 0};
  CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
  CHECK_OK(close(fd));
}

static void* serve(void* argument) {
  const int fd = *(int*)argument;
  char data[4096] = {0};
  ssize_t n = 1;
  while (n > 0) n = read(fd, data, sizeof data);
  CHECK(n == 0 || errno == ECONNRESET);
  return argument;
}

static void* fill(void* argument) {
  const int fd = *(int*)argument;
  static char data[1 << 20];
  ssize_t n = 1;
  while (n > 0) n = write(fd, data, sizeof data);
  CHECK(errno == ECONNRESET || errno == EPIPE);
  return argument;
}

static void* watch(void* argument) {
  struct pollfd p = {*(int*)argument, POLLIN, 0};
  while (!(p.revents & (POLLERR | POLLHUP))) CHECK_EQ(poll(&p, 1, -1), 1);
  return argument;
}

static void* body(void* argument) {
  void* (*const calls[])(void*) = {serve, fill, watch};
  const long me = (long)argument;
  for (int i = 0; i < rounds; i++) {
    int fds[2];
    tcp_pair(fds);
    pthread_t thread = spawn(calls[(i + me) % 3], &fds[0]);
    for (long j = 0; j < (i * 7 + me) % 5; j++) sched_yield();
    if (i % 2) CHECK_EQ(send(fds[1], "abc", 3, MSG_NOSIGNAL), 3);
    if (i % 4 == 3) sleep_ms(1);
    reset(fds[1]);
    join(thread);
    errno = 0;
    CHECK(send(fds[0], "x", 1, MSG_NOSIGNAL) == -1 && (errno == EPIPE || errno == ECONNRESET));
    CHECK_OK(close(fds[0]));
  }
  return argument;
}

int main(int argc, char** argv) {
  rounds = arg_or(argc, argv, 1, 60);
  struct sigaction action = {.sa_handler = count};
  CHECK_OK(sigaction(SIGPIPE, &action, NULL));
  pthread_t threads[kThreads];
  for (long i = 0; i < kThreads; i++) threads[i] = spawn(body, (void*)i);
  for (int i = 0; i < kThreads; i++) join(threads[i]);
  printf("%d resets\n", kThreads * rounds);
}
