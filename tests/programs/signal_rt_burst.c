// Queued real-time signals that are all there at once: each is handled, once, on whatever
// stack, whether the thread computes or sleeps while they come.
#include "check.h"

#include <signal.h>
#include <sys/wait.h>

enum { COUNT = 400 };

static volatile int received, sum;

static void on_signal(int number, siginfo_t* info, void* context) {
  (void)number, (void)context;
  sum += info->si_value.sival_int;
  received++;
}

static void* parked(void* argument) {
  pause();
  return argument;
}

int main(void) {
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};
  CHECK_OK(sigaction(SIGRTMIN + 3, &action, NULL));
  sigset_t set, old;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN + 3);
  CHECK_OK(pthread_sigmask(SIG_BLOCK, &set, &old));
  spawn(parked, NULL);  // It has the signal blocked: the main thread is the only receiver.
  CHECK_OK(pthread_sigmask(SIG_SETMASK, &old, NULL));
  for (int round = 0; round < 4; round++) {
    received = sum = 0;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      for (int i = 0; i < COUNT; i++) {
        union sigval value = {.sival_int = i};
        if (sigqueue(getppid(), SIGRTMIN + 3, value) != 0) _exit(1);
      }
      _exit(0);
    }
    int status;
    if (round % 2)
      AWAIT(received == COUNT);
    else
      while (received < COUNT) {
      }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    CHECK_EQ(sum, COUNT * (COUNT - 1) / 2);
  }
  puts("all handled");
}
