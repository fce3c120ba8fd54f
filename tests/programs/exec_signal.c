// A signal that comes while a thread execs is handled before it, or ends the new program, whose
// action is the default one: it is not lost.
#include "check.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { kHandled = 7, kLost = 9 };

static volatile int* ready;

static void on_term(int sig) {
  (void)sig;
  _exit(kHandled);
}

static void mask_term(int how) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  CHECK_OK(pthread_sigmask(how, &set, NULL));
}

static void* exec_self(void* unused) {
  mask_term(SIG_UNBLOCK);
  *ready = 1;
  execl("/proc/self/exe", "exec_signal", "new", (char*)NULL);
  return unused;
}

static void be_killed(void) {
  pthread_t thread;
  CHECK(signal(SIGTERM, on_term) != SIG_ERR);
  mask_term(SIG_BLOCK);
  CHECK_OK(pthread_create(&thread, NULL, exec_self, NULL));
  pthread_join(thread, NULL);
  _exit(1);
}

int main(int argc, char** argv) {
  (void)argv;
  if (argc > 1) {
    sleep_ms(500);
    return kLost;
  }
  ready = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(ready != MAP_FAILED);
  const int64_t until = now_ns(CLOCK_MONOTONIC) + SECOND;
  for (int i = 0; next_round(i, 50, 300, until); ++i) {
    *ready = 0;
    const pid_t child = fork();
    CHECK(child >= 0);
    if (!child) be_killed();
    while (!*ready) sched_yield();
    for (volatile int turns = rand() % 20000; turns > 0; --turns) continue;
    CHECK_OK(kill(child, SIGTERM));
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) == kHandled);
  }
  return 0;
}
