// C11's mtx_* of each type and cnd_*: exclusion, recursion, try, timed, signal and broadcast.
#include "check.h"

#include <threads.h>

enum { THREADS = 8, ROUNDS = 3000 };
static mtx_t plain, recursive, timed;
static cnd_t turn_changed;
static int counter, turn;

static int adder(void* unused) {
  (void)unused;
  for (int i = 0; i < ROUNDS; i++) {
    CHECK_EQ(mtx_lock(&recursive), thrd_success);
    CHECK_EQ(mtx_lock(&recursive), thrd_success);
    counter++;
    CHECK_EQ(mtx_unlock(&recursive), thrd_success);
    if (i % 100 == 0) thrd_yield();
    CHECK_EQ(mtx_unlock(&recursive), thrd_success);
  }
  return 0;
}

static int taker(void* argument) {
  int mine = (int)(intptr_t)argument;
  for (int i = 0; i < 50; i++) {
    CHECK_EQ(mtx_lock(&plain), thrd_success);
    while (turn % THREADS != mine) CHECK_EQ(cnd_wait(&turn_changed, &plain), thrd_success);
    turn++;
    CHECK_EQ(cnd_broadcast(&turn_changed), thrd_success);
    CHECK_EQ(mtx_unlock(&plain), thrd_success);
  }
  return 0;
}

static int refused(void* unused) {
  (void)unused;
  CHECK_EQ(mtx_trylock(&timed), thrd_busy);
  int64_t start = now_ns(CLOCK_REALTIME);
  struct timespec end = to_timespec(start + 20 * MS);
  CHECK_EQ(mtx_timedlock(&timed, &end), thrd_timedout);
  CHECK(now_ns(CLOCK_REALTIME) - start >= 20 * MS);
  return 0;
}

static void run(int (*body)(void*), int threads) {
  thrd_t ids[THREADS];
  for (intptr_t i = 0; i < threads; i++) CHECK_EQ(thrd_create(&ids[i], body, (void*)i), 0);
  for (int i = 0; i < threads; i++) CHECK_EQ(thrd_join(ids[i], NULL), thrd_success);
}

int main(void) {
  CHECK_EQ(mtx_init(&plain, mtx_plain), thrd_success);
  CHECK_EQ(mtx_init(&recursive, mtx_plain | mtx_recursive), thrd_success);
  CHECK_EQ(mtx_init(&timed, mtx_timed), thrd_success);
  CHECK_EQ(cnd_init(&turn_changed), thrd_success);
  run(adder, THREADS);
  CHECK_EQ(counter, THREADS * ROUNDS);
  run(taker, THREADS);
  CHECK_EQ(turn, THREADS * 50);
  CHECK_EQ(mtx_lock(&timed), thrd_success);
  run(refused, 4);
  struct timespec end = after_ms(CLOCK_REALTIME, 20);
  CHECK_EQ(cnd_timedwait(&turn_changed, &timed, &end), thrd_timedout);
  CHECK_EQ(mtx_unlock(&timed), thrd_success);
  mtx_destroy(&plain), mtx_destroy(&recursive), mtx_destroy(&timed), cnd_destroy(&turn_changed);
  printf("counter %d turn %d\n", counter, turn);
}
