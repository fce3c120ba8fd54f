// Signal masks belong to threads: inherited, changed apart, kept across blocking; a blocked signal
// is pending for its thread and delivered at unblocking.
#include "check.h"

#include <signal.h>

enum { THREADS = 16 };
static __thread volatile int got;
static void handler(int number) { got |= number == SIGUSR1 ? 1 : 2; }

static void* body(void* argument) {
  intptr_t index = (intptr_t)argument;
  sigset_t set, mask;
  CHECK_OK(pthread_sigmask(SIG_SETMASK, NULL, &mask));
  CHECK(sigismember(&mask, SIGWINCH));  // Inherited.
  CHECK(!sigismember(&mask, SIGUSR1));
  sigemptyset(&set);
  sigaddset(&set, index % 2 ? SIGUSR1 : SIGUSR2);
  CHECK_OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
  for (int i = 0; i < 20; i++) {
    if (i % 2)
      sched_yield();
    else
      usleep(200);
    CHECK_OK(pthread_sigmask(SIG_SETMASK, NULL, &mask));
    CHECK_EQ(sigismember(&mask, SIGUSR1), index % 2);
    CHECK_EQ(sigismember(&mask, SIGUSR2), 1 - index % 2);
    CHECK(sigismember(&mask, SIGWINCH));
  }
  CHECK_OK(pthread_kill(pthread_self(), SIGUSR1));
  CHECK_OK(pthread_kill(pthread_self(), SIGUSR2));
  CHECK_EQ(got, index % 2 ? 2 : 1);
  sigset_t pending;
  CHECK_OK(sigpending(&pending));
  CHECK(sigismember(&pending, index % 2 ? SIGUSR1 : SIGUSR2));
  CHECK(!sigismember(&pending, index % 2 ? SIGUSR2 : SIGUSR1));
  usleep(500);
  CHECK_EQ(got, index % 2 ? 2 : 1);
  CHECK_OK(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
  CHECK_EQ(got, 3);  // Delivered before the call returned.
  CHECK_EQ(pthread_sigmask(99, &set, NULL), EINVAL);
  return NULL;
}

int main(void) {
  struct sigaction action = {.sa_handler = handler};
  CHECK_OK(sigaction(SIGUSR1, &action, NULL));
  CHECK_OK(sigaction(SIGUSR2, &action, NULL));
  sigset_t set, mask;
  sigemptyset(&set);
  sigaddset(&set, SIGWINCH);
  CHECK_OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
  pthread_t threads[THREADS];
  for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(body, (void*)i);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  CHECK_OK(pthread_sigmask(SIG_SETMASK, NULL, &mask));
  CHECK(!sigismember(&mask, SIGUSR1) && !sigismember(&mask, SIGUSR2));
  CHECK_EQ(got, 0);
  printf("%d masks\n", THREADS);
}
