// What a program with one thread sent itself and blocks stays its main thread's when more threads
// come; a thread's number stands for the process in kill(2); pending signals outlive exec.
#include "check.h"

#include <signal.h>

static pid_t number;

static void* body(void* unused) {
  sigset_t pending;
  CHECK_OK(sigpending(&pending));
  CHECK_EQ(sigismember(&pending, SIGUSR1), 0);  // raised: main's
  CHECK_EQ(sigismember(&pending, SIGUSR2), 1);  // the process's
  number = gettid();
  CHECK_OK(kill(number, SIGHUP));
  CHECK_OK(kill(number, 0));
  return unused;
}

int main(int argc, char** argv) {
  sigset_t set, pending;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGUSR2);
  sigaddset(&set, SIGHUP);
  if (argc > 1) {
    for (int i = 0; i < 3; i++) {
      int sig;
      CHECK_OK(sigwait(&set, &sig));
    }
    CHECK_OK(sigpending(&pending));
    CHECK(!sigismember(&pending, SIGUSR1) && !sigismember(&pending, SIGUSR2));
    puts("three");
    return 0;
  }
  CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
  CHECK_OK(raise(SIGUSR1));
  CHECK_OK(kill(getpid(), SIGUSR2));
  join(spawn(body, NULL));
  CHECK_OK(sigpending(&pending));
  CHECK(sigismember(&pending, SIGUSR1) && sigismember(&pending, SIGUSR2));
  CHECK(sigismember(&pending, SIGHUP));
  execl("/proc/self/exe", argv[0], "again", NULL);
  CHECK_FAIL("exec");
}
