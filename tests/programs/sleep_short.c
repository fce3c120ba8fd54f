// A sleep of no length is one: a loop of them leaves the CPU to others.
#include "check.h"

enum { SLEEPS = 1000, LEAST_NS = 4000 };

static void* body(void* unused) {
  const int64_t start = now_ns(CLOCK_MONOTONIC);
  for (int i = 0; i < SLEEPS; i++) CHECK_OK(usleep(0));
  const int64_t lasted = now_ns(CLOCK_MONOTONIC) - start;
  if (lasted < SLEEPS * LEAST_NS) CHECK_FAIL("%d sleeps in %lld ns", SLEEPS, (long long)lasted);
  return unused;
}

int main(void) {
  join(spawn(body, NULL));
  puts("slept");
}
