// A thread that unblocks a signal just when it is sent gets it: sigsuspend always returns.
#include "check.h"

#include <signal.h>

enum { ROUNDS = 20000 };

static volatile int round_now, handled;

static void on_usr1(int number) {
  (void)number;
  handled++;
}

static void* waiter(void* argument) {
  sigset_t none;
  sigemptyset(&none);
  for (int i = 1; i <= ROUNDS; i++) {
    __atomic_store_n(&round_now, i, __ATOMIC_SEQ_CST);
    CHECK_ERRNO(sigsuspend(&none), EINTR);
    CHECK_EQ(handled, i);
  }
  return argument;
}

int main(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  CHECK_OK(sigaction(SIGUSR1, &(struct sigaction){.sa_handler = on_usr1}, NULL));
  CHECK_OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
  pthread_t thread = spawn(waiter, NULL);
  for (int i = 1; i <= ROUNDS; i++) {
    while (__atomic_load_n(&round_now, __ATOMIC_SEQ_CST) != i) sched_yield();
    for (volatile int spin = 0; spin < i % 200; spin++) {
    }
    CHECK_OK(pthread_kill(thread, SIGUSR1));
  }
  join(thread);
  printf("%d handled\n", handled);
}
