// A thread's CPU clock, read by another until it is no more: it never falls, and ends with the
// thread.
#include "check.h"

enum { ROUNDS = 100 };
static volatile int begun, stop;

static void* body(void* unused) {
  begun = 1;
  while (!stop) {
    for (volatile int i = 0; i < 20000; i = i + 1) continue;
    sched_yield();
  }
  return unused;
}

int main(void) {
  const int64_t limit = now_ns(CLOCK_MONOTONIC) + 20 * SECOND;
  for (int i = 0; i < ROUNDS; i++) {
    clockid_t clock;
    struct timespec t;
    int64_t now, last = 0;
    begun = stop = 0;
    pthread_t thread = spawn(body, NULL);
    AWAIT(begun);
    CHECK_OK(pthread_getcpuclockid(thread, &clock));
    for (stop = 1; clock_gettime(clock, &t) == 0; last = now) {
      CHECK(now_ns(CLOCK_MONOTONIC) < limit);
      now = t.tv_sec * SECOND + t.tv_nsec;
      if (now < last) CHECK_FAIL("it fell from %lld to %lld", (long long)last, (long long)now);
      if (i % 2) sched_yield();
    }
    CHECK_EQ(errno, EINVAL);
    join(thread);
  }
  puts("it ended");
}
