// A child that gets a signal as soon as it exists handles it like any process, system calls in the
// handler included, and is whole afterwards.
#include "check.h"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

static volatile int handled;

static void on_usr1(int number) {
  (void)number;
  int saved = errno;
  struct timespec pause = {0, 300000};
  nanosleep(&pause, NULL);
  sched_yield();
  handled = 1;
  errno = saved;
}

static void* nothing(void* argument) { return argument; }

int main(void) {
  CHECK_OK(sigaction(SIGUSR1, &(struct sigaction){.sa_handler = on_usr1}, NULL));
  join(spawn(nothing, NULL));
  for (int i = 0; i < 150; i++) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      while (!handled) {
      }
      join(spawn(nothing, NULL));
      _exit(7);
    }
    for (volatile int spin = 0; spin < i * 50; spin++) {
    }
    CHECK_OK(kill(child, SIGUSR1));
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
  }
  puts("every child handled it");
}
