// A timer on a thread's CPU-time clock counts that thread's time alone, relative and absolute, with
// another one that computes beside it.
#include "check.h"

#include <signal.h>

static volatile int done;

static void* computing(void* unused) {
  while (!done) {
    for (volatile int i = 0; i < 20000; i++) {
    }
    sched_yield();
  }
  return unused;
}

int main(void) {
  sigset_t set;
  CHECK_OK(sigemptyset(&set));
  CHECK_OK(sigaddset(&set, SIGUSR1));
  CHECK_OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
  pthread_t threads[3];
  for (int i = 0; i < 3; i++) threads[i] = spawn(computing, NULL);
  clockid_t clock;
  CHECK_OK(pthread_getcpuclockid(threads[1], &clock));
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
  timer_t timer;
  CHECK_OK(timer_create(clock, &event, &timer));
  for (int absolute = 0; absolute < 2; absolute++) {
    const int64_t start = now_ns(clock), span = 40 * MS;
    struct itimerspec spec = {.it_value = to_timespec(absolute ? start + span : span)};
    CHECK_OK(timer_settime(timer, absolute ? TIMER_ABSTIME : 0, &spec, NULL));
    int sig;
    CHECK_OK(sigwait(&set, &sig));
    CHECK(now_ns(clock) - start >= span);
  }
  done = 1;
  for (int i = 0; i < 3; i++) join(threads[i]);
  CHECK_OK(timer_delete(timer));
  puts("its own time");
}
