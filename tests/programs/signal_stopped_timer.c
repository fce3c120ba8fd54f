// What a timer sent before setitimer stopped it is handled under the action of that time: the
// default action, put back afterwards, must not see it, however late some CPU came to it.
#include "check.h"

#include <signal.h>
#include <sys/time.h>

static volatile sig_atomic_t alarms;
static void on_alarm(int sig) { alarms++; }

// Keeps the CPUs and the workers busy.
static void* compute(void* stop) {
  for (volatile long i = 0; !__atomic_load_n((int*)stop, __ATOMIC_RELAXED);) i++;
  return NULL;
}

int main(void) {
  int stop = 0;
  pthread_t busy[4];
  for (int i = 0; i < 4; i++) busy[i] = spawn(compute, &stop);
  const struct itimerval often = {{0, 300}, {0, 300}}, never = {{0, 0}, {0, 0}};
  int64_t until = now_ns(CLOCK_MONOTONIC) + 3 * SECOND;
  for (int i = 0; next_round(i, 15, 150, until); i++) {
    CHECK(signal(SIGALRM, on_alarm) != SIG_ERR);
    CHECK_OK(setitimer(ITIMER_REAL, &often, NULL));
    sleep_ms(1);
    CHECK_OK(setitimer(ITIMER_REAL, &never, NULL));
    CHECK(signal(SIGALRM, SIG_DFL) != SIG_ERR);
  }
  __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
  for (int i = 0; i < 4; i++) join(busy[i]);
  CHECK(alarms > 0);
  puts("ok");
  return 0;
}
