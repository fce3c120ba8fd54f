// SO_RCVTIMEO and the time-outs of poll and its kin end a wait in time though another process sends
// signals for another thread all the while.
#include "net.h"
#include "signal_taker.h"

#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/wait.h>

static int handled;

static void handler(int ignored) { __atomic_fetch_add(&handled, 1, __ATOMIC_SEQ_CST); }

static pid_t start_sender(void) {
  pid_t parent = getpid(), child = fork();
  while (child == 0 && kill(parent, SIGUSR1) == 0) sleep_ms(20);
  CHECK(child > 0);
  return child;
}

enum { CALLS = 7, TIMEOUT_MS = 100 };
static int epoll;

static long block(int call, int fd) {
  static char byte;
  struct pollfd p = {fd, POLLIN, 0};
  struct epoll_event event;
  struct timespec ts = to_timespec(TIMEOUT_MS * MS);
  struct timeval tv = {0, TIMEOUT_MS * 1000};
  fd_set set;
  FD_ZERO(&set);
  FD_SET(fd, &set);
  switch (call) {
    case 0: return poll(&p, 1, TIMEOUT_MS);
    case 1: return ppoll(&p, 1, &ts, NULL);
    case 2: return select(fd + 1, &set, NULL, NULL, &tv);
    case 3: return epoll_wait(epoll, &event, 1, TIMEOUT_MS);
    case 4: return epoll_pwait(epoll, &event, 1, TIMEOUT_MS, NULL);
    case 5: return recv(fd, &byte, 1, 0) == -1 && errno == EAGAIN ? 0 : -1;
  }
  return read(fd, &byte, 1) == -1 && errno == EAGAIN ? 0 : -1;
}

int main(void) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
  CHECK_OK(sigaction(SIGUSR1, &action, NULL));
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  CHECK_OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
  pid_t sender = start_sender();
  pthread_t taker = spawn(take_signals, NULL);
  int pair[2];
  CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  struct timeval timeout = {0, TIMEOUT_MS * 1000};
  CHECK_OK(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout));
  struct epoll_event event = {EPOLLIN, {0}};
  epoll = epoll_create1(0);
  CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event));
  for (int call = 0; call < CALLS; call++) {
    int64_t start = now_ns(CLOCK_MONOTONIC);
    CHECK_OK(block(call, pair[0]));
    CHECK(now_ns(CLOCK_MONOTONIC) - start >= TIMEOUT_MS * MS);
  }
  end_signal_taker(taker);
  CHECK_OK(kill(sender, SIGKILL));
  CHECK_EQ(waitpid(sender, NULL, 0), sender);
  CHECK(handled > 0);
  puts("in time");
}
