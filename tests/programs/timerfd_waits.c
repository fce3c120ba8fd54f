// timerfd: one-shot, periodic and absolute timers wake their readers, not early, with the count of
// expirations; poll sees them too.
#include "check.h"

#include <poll.h>
#include <sys/timerfd.h>

static void* body(void* argument) {
  clockid_t clock = (intptr_t)argument % 2 ? CLOCK_REALTIME : CLOCK_MONOTONIC;
  int timer = timerfd_create(clock, 0);
  CHECK(timer >= 0);
  uint64_t count;
  int64_t start = now_ns(clock);
  struct itimerspec spec = {.it_value = to_timespec(15 * MS)};
  CHECK_OK(timerfd_settime(timer, 0, &spec, NULL));
  CHECK_EQ(read(timer, &count, sizeof count), sizeof count);
  CHECK_EQ(count, 1);
  CHECK(now_ns(clock) - start >= 15 * MS);

  start = now_ns(clock);
  spec = (struct itimerspec){to_timespec(3 * MS), to_timespec(3 * MS)};
  CHECK_OK(timerfd_settime(timer, 0, &spec, NULL));
  for (uint64_t total = 0; total < 5; total += count) {
    CHECK_EQ(read(timer, &count, sizeof count), sizeof count);
    CHECK(count >= 1);
    CHECK(now_ns(clock) - start >= (int64_t)(total + count) * 3 * MS);
  }
  start = now_ns(clock) + 15 * MS;
  spec = (struct itimerspec){.it_value = to_timespec(start)};
  CHECK_OK(timerfd_settime(timer, TFD_TIMER_ABSTIME, &spec, NULL));
  struct pollfd p = {timer, POLLIN, 0};
  CHECK_EQ(poll(&p, 1, 20000), 1);
  CHECK(now_ns(clock) >= start);
  CHECK_EQ(read(timer, &count, sizeof count), sizeof count);
  CHECK_EQ(count, 1);
  CHECK_OK(close(timer));
  return NULL;
}

int main(void) {
  pthread_t threads[10];
  for (intptr_t i = 0; i < 10; i++) threads[i] = spawn(body, (void*)i);
  for (int i = 0; i < 10; i++) join(threads[i]);
  printf("10 timers\n");
}
