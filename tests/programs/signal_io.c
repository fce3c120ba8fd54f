// SIGIO and a signal of the program's choice (F_SETSIG) to the thread or process that fcntl names.
#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

static int pair[2];
static volatile int count, thread, fd, code, ready, stop;

static void on_io(int sig, siginfo_t* info, void* unused) {
  thread = gettid(), fd = info->si_fd, code = info->si_code;
  count++;
}

static void* body(void* unused) {
  thread = gettid();
  ready++;
  while (!stop) sleep_ms(1);
  return unused;
}

static void poke(int expected_count) {
  char byte = 1;
  CHECK_EQ(write(pair[1], &byte, 1), 1);
  AWAIT(count == expected_count);
  CHECK_EQ(read(pair[0], &byte, 1), 1);
}

int main(void) {
  struct sigaction action = {.sa_sigaction = on_io, .sa_flags = SA_SIGINFO | SA_RESTART};
  CHECK_OK(sigaction(SIGIO, &action, NULL));
  CHECK_OK(sigaction(SIGRTMIN + 5, &action, NULL));
  CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  pthread_t other = spawn(body, NULL);
  AWAIT(ready);
  const int tid = thread;
  CHECK_OK(fcntl(pair[0], F_SETOWN, getpid()));
  CHECK_OK(fcntl(pair[0], F_SETFL, O_ASYNC | O_NONBLOCK));
  poke(1);
  CHECK_EQ(thread, getpid());
  CHECK_OK(fcntl(pair[0], F_SETSIG, SIGRTMIN + 5));
  poke(2);
  CHECK(fd == pair[0] && code == POLL_IN);
  const struct f_owner_ex owner = {F_OWNER_TID, tid};
  struct f_owner_ex told;
  CHECK_OK(fcntl(pair[0], F_SETOWN_EX, &owner));
  CHECK_OK(fcntl(pair[0], F_GETOWN_EX, &told));
  CHECK(told.type == F_OWNER_TID && told.pid == tid);
  poke(3);
  CHECK(thread == tid && fd == pair[0]);
  CHECK_OK(fcntl(pair[0], F_SETSIG, 0));
  CHECK_OK(fcntl(pair[0], F_GETSIG));
  poke(4);
  CHECK(thread == tid && code == SI_KERNEL);
  // The owner is the file's, whichever number it is told by.
  const struct f_owner_ex none = {F_OWNER_PID, getpid()};
  int copy = dup(pair[0]);
  CHECK_OK(fcntl(copy, F_SETOWN_EX, &none));
  poke(5);
  CHECK_EQ(thread, getpid());
  CHECK_OK(fcntl(copy, F_SETOWN_EX, &owner));
  CHECK_OK(fcntl(copy, F_SETSIG, SIGRTMIN + 5));
  CHECK_OK(fcntl(pair[0], F_GETOWN_EX, &told));
  CHECK(told.type == F_OWNER_TID && told.pid == tid);
  poke(6);
  CHECK(thread == tid && fd == pair[0]);
  CHECK_OK(fcntl(pair[0], F_SETOWN, getpid()));
  poke(7);
  CHECK_OK(close(copy));
  CHECK_EQ(thread, getpid());
  stop = 1;
  join(other);
  puts("told");
}
