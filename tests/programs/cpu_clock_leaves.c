// A thread's CPU clock, read by another, never falls, also not while the thread goes to sleep.
#include "check.h"

enum { FEWEST = 20, MOST = 20000 };
static volatile int sleeps, stop;

static void* body(void* unused) {
  while (!stop) {
    for (volatile int i = 0; i < 20000; i = i + 1) continue;
    struct timespec nap = to_timespec(MS / 50);
    nanosleep(&nap, NULL);
    sleeps = sleeps + 1;
  }
  return unused;
}

int main(void) {
  pthread_t thread = spawn(body, NULL);
  clockid_t clock;
  CHECK_OK(pthread_getcpuclockid(thread, &clock));
  int64_t last = 0, until = now_ns(CLOCK_MONOTONIC) + 500 * MS;
  while (next_round(sleeps, FEWEST, MOST, until)) {
    int64_t now = now_ns(clock);
    if (now < last) CHECK_FAIL("it fell from %lld to %lld", (long long)last, (long long)now);
    last = now;
  }
  CHECK(last > 0);
  stop = 1;
  join(thread);
  puts("it never fell");
}
