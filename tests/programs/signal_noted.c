// A signal that comes while another thread is in a system call reaches a thread that only
// computes, however the two take turns.
#include "shared.h"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

static volatile int handled, stop;

static void on_usr1(int number) {
  (void)number;
  __atomic_add_fetch(&handled, 1, __ATOMIC_SEQ_CST);
}

static void* sleeper(void* argument) {
  while (!stop) {
    struct timespec pause = {0, 200000};
    nanosleep(&pause, NULL);
  }
  return argument;
}

int main(void) {
  sigset_t set, old;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  CHECK_OK(sigaction(SIGUSR1, &(struct sigaction){.sa_handler = on_usr1}, NULL));
  CHECK_OK(pthread_sigmask(SIG_BLOCK, &set, &old));
  pthread_t threads[3];
  for (int i = 0; i < 3; i++) threads[i] = spawn(sleeper, NULL);
  CHECK_OK(pthread_sigmask(SIG_SETMASK, &old, NULL));
  volatile int* all_sent = map_shared(-1, sizeof *all_sent);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    for (int i = 0; i < 200; i++) {
      kill(getppid(), SIGUSR1);
      usleep(1000);
    }
    *all_sent = 1;
    _exit(0);
  }
  // One at a time gets through even if several are merged; the last may not get lost. A machine
  // that gives the child no CPU for a second is another matter.
  int64_t quiet_since = now_ns(CLOCK_MONOTONIC), begin = quiet_since;
  int seen = 0;
  while (handled < 200 && now_ns(CLOCK_MONOTONIC) - quiet_since < SECOND)
    if (handled != seen || !*all_sent) {
      seen = handled;
      quiet_since = now_ns(CLOCK_MONOTONIC);
    }
  int before = handled;
  stop = 1;
  for (int i = 0; i < 3; i++) join(threads[i]);  // System calls: what was stuck comes out here.
  CHECK_EQ(handled, before);
  CHECK_EQ(waitpid(child, NULL, 0), child);
  CHECK(now_ns(CLOCK_MONOTONIC) - begin < 10 * SECOND);
  CHECK(handled > 0);
  puts("none was stuck");
}
