// Hundreds of sleepers with different ends: none wakes early, all wake, and the last in about the
// time of the longest sleep, by every call that sleeps.
#include "check.h"

static void* body(void* argument) {
  intptr_t id = (intptr_t)argument;
  int64_t span = (id * 37 % 50 + 1) * MS, start = now_ns(CLOCK_MONOTONIC);
  struct timespec t = to_timespec(span), end = to_timespec(start + span);
  switch (id % 4) {
    case 0: CHECK_OK(nanosleep(&t, NULL)); break;
    case 1: CHECK_OK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL)); break;
    case 2: CHECK_OK(usleep((useconds_t)(span / 1000))); break;
    case 3: {
      int64_t wall = now_ns(CLOCK_REALTIME);
      end = to_timespec(wall + span);
      CHECK_OK(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &end, NULL));
      CHECK(now_ns(CLOCK_REALTIME) >= wall + span);
      return NULL;
    }
  }
  CHECK(now_ns(CLOCK_MONOTONIC) - start >= span);
  struct timespec past = {0, 1}, zero = {0, 0};
  CHECK_OK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &past, NULL));
  CHECK_OK(nanosleep(&zero, NULL));
  return NULL;
}

int main(int argc, char** argv) {
  int count = arg_or(argc, argv, 1, 400);
  pthread_t* threads = calloc((size_t)count, sizeof *threads);
  int64_t start = now_ns(CLOCK_MONOTONIC);
  for (intptr_t i = 0; i < count; i++) threads[i] = spawn(body, (void*)i);
  for (int i = 0; i < count; i++) join(threads[i]);
  CHECK(now_ns(CLOCK_MONOTONIC) - start < 15 * SECOND);
  free(threads);
  printf("%d slept\n", count);
}
