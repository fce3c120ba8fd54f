// SO_RCVTIMEO ends a wait in time though another process sends signals for another thread all the while.
#include "net.h"

#include <signal.h>
#include <sys/wait.h>

static int handled, done;

static void handler(int ignored) { __atomic_fetch_add(&handled, 1, __ATOMIC_SEQ_CST); }

static void* takes_signals(void* unused) {
  sigset_t none;
  sigemptyset(&none);
  CHECK_OK(pthread_sigmask(SIG_SETMASK, &none, NULL));
  while (!__atomic_load_n(&done, __ATOMIC_SEQ_CST)) sleep_ms(5);
  return unused;
}

static pid_t start_sender(void) {
  pid_t parent = getpid(), child = fork();
  while (child == 0 && kill(parent, SIGUSR1) == 0) sleep_ms(20);
  CHECK(child > 0);
  return child;
}

int main(void) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
  CHECK_OK(sigaction(SIGUSR1, &action, NULL));
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  CHECK_OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
  pid_t sender = start_sender();
  pthread_t takes = spawn(takes_signals, NULL);
  int pair[2];
  CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  struct timeval timeout = {0, 300000};
  CHECK_OK(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout));
  char byte;
  for (int i = 0; i < 2; i++) {
    int64_t start = now_ns(CLOCK_MONOTONIC);
    CHECK_ERRNO(i ? recv(pair[0], &byte, 1, 0) : read(pair[0], &byte, 1), EAGAIN);
    CHECK(now_ns(CLOCK_MONOTONIC) - start >= 300 * MS);
  }
  __atomic_store_n(&done, 1, __ATOMIC_SEQ_CST);
  join(takes);
  CHECK_OK(kill(sender, SIGKILL));
  CHECK_EQ(waitpid(sender, NULL, 0), sender);
  CHECK(handled > 0);
  puts("in time");
}
