// C11's thrd_*: create, join with a result, detach, exit, sleep, yield, equal.
#include "check.h"

#include <threads.h>

static thrd_t main_id;
static int detached_ran;

static int body(void* argument) {
  int value = (int)(intptr_t)argument;
  CHECK(!thrd_equal(thrd_current(), main_id));
  thrd_yield();
  if (value % 2) thrd_exit(value + 1000);
  return value;
}

static int detached(void* argument) {
  CHECK_EQ(thrd_detach(thrd_current()), thrd_success);
  __atomic_add_fetch((int*)argument, 1, __ATOMIC_SEQ_CST);
  return 7;
}

static int sleeper(void* unused) {
  (void)unused;
  int64_t start = now_ns(CLOCK_MONOTONIC);
  struct timespec t = to_timespec(15 * MS);
  CHECK_EQ(thrd_sleep(&t, NULL), 0);
  CHECK(now_ns(CLOCK_MONOTONIC) - start >= 15 * MS);
  return -3;
}

int main(void) {
  enum { THREADS = 200 };
  main_id = thrd_current();
  thrd_t threads[THREADS], other;
  for (int i = 0; i < THREADS; i++) {
    CHECK_EQ(thrd_create(&threads[i], body, (void*)(intptr_t)i), thrd_success);
    CHECK_EQ(thrd_create(&other, detached, &detached_ran), thrd_success);
  }
  CHECK_EQ(thrd_create(&other, sleeper, NULL), thrd_success);
  int result;
  CHECK_EQ(thrd_join(other, &result), thrd_success);
  CHECK_EQ(result, -3);
  for (int i = 0; i < THREADS; i++) {
    CHECK_EQ(thrd_join(threads[i], &result), thrd_success);
    CHECK_EQ(result, i % 2 ? i + 1000 : i);
  }
  AWAIT(__atomic_load_n(&detached_ran, __ATOMIC_SEQ_CST) == THREADS);
  printf("%d joined, %d detached\n", THREADS, detached_ran);
}
