// Futex timeouts: relative (WAIT), absolute (WAIT_BITSET) on both clocks, past ones, bad ones; a
// waiter that timed out is no longer counted by a wake.
#include "futex.h"

static uint32_t word;

static void expect_timeout(int op, clockid_t clock, int absolute) {
  int64_t start = now_ns(clock);
  struct timespec t = to_timespec((absolute ? start : 0) + 20 * MS);
  CHECK_ERRNO(futex(&word, op, 0, &t, NULL, FUTEX_BITSET_MATCH_ANY), ETIMEDOUT);
  CHECK(now_ns(clock) - start >= 20 * MS);
}

static void* all_kinds(void* unused) {
  expect_timeout(FUTEX_WAIT_PRIVATE, CLOCK_MONOTONIC, 0);
  expect_timeout(FUTEX_WAIT, CLOCK_MONOTONIC, 0);
  expect_timeout(FUTEX_WAIT_BITSET_PRIVATE, CLOCK_MONOTONIC, 1);
  expect_timeout(FUTEX_WAIT_BITSET, CLOCK_MONOTONIC, 1);
  expect_timeout(FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, CLOCK_REALTIME, 1);

  struct timespec past = to_timespec(1), zero = {0, 0}, bad = {0, SECOND}, negative = {-1, 0};
  CHECK_ERRNO(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, &past, NULL, ~0u), ETIMEDOUT);
  CHECK_ERRNO(futex(&word, FUTEX_WAIT_PRIVATE, 0, &zero, NULL, 0), ETIMEDOUT);
  CHECK_ERRNO(futex(&word, FUTEX_WAIT_PRIVATE, 0, &bad, NULL, 0), EINVAL);
  CHECK_ERRNO(futex(&word, FUTEX_WAIT_PRIVATE, 0, &negative, NULL, 0), EINVAL);
  CHECK_ERRNO(futex(&word, FUTEX_WAIT_PRIVATE, 1, &zero, NULL, 0), EAGAIN);
  return unused;
}

static void* woken_in_time(void* unused) {
  struct timespec t = to_timespec(20 * SECOND);
  CHECK_EQ(futex(&word, FUTEX_WAIT_PRIVATE, 0, &t, NULL, 0), 0);
  return unused;
}

int main(void) {
  enum { THREADS = 5 };
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) threads[i] = spawn(all_kinds, NULL);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  CHECK_EQ(futex_wake(&word, 100), 0);
  for (int i = 0; i < THREADS; i++) threads[i] = spawn(woken_in_time, NULL);
  futex_wake_exactly(&word, THREADS);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  printf("timed out on time\n");
}
