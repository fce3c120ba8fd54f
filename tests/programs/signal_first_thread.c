// The program's first thread is created in a handler, on the stack or on an alternate one, alone or
// nested in another: behind each handler the mask is what it was, and the signals come again.
#include "check.h"

#include <signal.h>
#include <sys/wait.h>

static volatile int outer, inner, threads;

static void* body(void* unused) {
  sigset_t mask;
  CHECK_OK(pthread_sigmask(SIG_BLOCK, NULL, &mask));
  CHECK_EQ(sigismember(&mask, SIGUSR1), 1);  // inherited
  return unused;
}

static int blocked(int sig) {
  sigset_t mask;
  CHECK_OK(pthread_sigmask(SIG_BLOCK, NULL, &mask));
  return sigismember(&mask, sig);
}

static void on_inner(int sig) {
  inner++;
  CHECK(blocked(SIGUSR1) && blocked(sig) && blocked(SIGTERM));
  for (; threads < 2; threads++) join(spawn(body, NULL));
}

static void on_outer(int sig) {
  outer++;
  CHECK_OK(raise(SIGUSR2));
  CHECK(blocked(sig) && blocked(SIGHUP) && !blocked(SIGUSR2) && !blocked(SIGTERM));
}

static void run(int outer_flags, int inner_flags) {
  static char stack[64 << 10];
  stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack}, now;
  CHECK_OK(sigaltstack(&alternate, NULL));
  struct sigaction action = {.sa_handler = on_outer, .sa_flags = outer_flags};
  sigaddset(&action.sa_mask, SIGHUP);
  CHECK_OK(sigaction(SIGUSR1, &action, NULL));
  action = (struct sigaction){.sa_handler = on_inner, .sa_flags = inner_flags};
  sigaddset(&action.sa_mask, SIGTERM);
  CHECK_OK(sigaction(SIGUSR2, &action, NULL));
  for (int i = 1; i <= 3; i++) {
    CHECK_OK(kill(getpid(), SIGUSR1));
    CHECK(outer == i && inner == i);
    CHECK(!blocked(SIGUSR1) && !blocked(SIGHUP) && !blocked(SIGUSR2) && !blocked(SIGTERM));
    CHECK_OK(sigaltstack(NULL, &now));
    CHECK(now.ss_sp == stack && now.ss_flags == 0);
  }
  exit(0);
}

int main(void) {
  for (int i = 0; i < 4; i++) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) run(i & 1 ? SA_ONSTACK : 0, i & 2 ? SA_ONSTACK : 0);
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
  }
  puts("unblocked again");
}
