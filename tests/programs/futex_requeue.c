// FUTEX_REQUEUE and CMP_REQUEUE: waiters move to the second word, and a wake there finds them all.
#include "futex.h"

enum { THREADS = 12 };
static uint32_t from, to;
static int returned;

static void* waiter(void* unused) {
  CHECK_EQ(futex_wait(&from, 0), 0);
  __atomic_add_fetch(&returned, 1, __ATOMIC_SEQ_CST);
  return unused;
}

static long requeue(int wake, intptr_t move) {
  return futex(&from, FUTEX_REQUEUE_PRIVATE, wake, (void*)move, &to, 0);
}

static long cmp_requeue(int wake, intptr_t move, uint32_t expected) {
  return futex(&from, FUTEX_CMP_REQUEUE_PRIVATE, wake, (void*)move, &to, expected);
}

int main(void) {
  CHECK_ERRNO(cmp_requeue(1, 1, 99), EAGAIN);
  CHECK_ERRNO(cmp_requeue(-1, 1, 0), EINVAL);
  CHECK_ERRNO(cmp_requeue(1, -1, 0), EINVAL);
  CHECK_EQ(cmp_requeue(1, 1, 0), 0);
  for (int round = 0; round < 20; round++) {
    returned = 0;
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) threads[i] = spawn(waiter, NULL);
    int moved = 0;
    while (moved < THREADS) {  // Each call counts those it moves.
      sleep_ms(1);
      long now = moved % 2 ? requeue(0, THREADS) : cmp_requeue(0, 3, 0);
      CHECK(now >= 0 && now <= (moved % 2 ? THREADS : 3));
      moved += (int)now;
    }
    CHECK_EQ(moved, THREADS);
    CHECK_EQ(futex_wake(&from, THREADS), 0);
    CHECK_EQ(__atomic_load_n(&returned, __ATOMIC_SEQ_CST), 0);
    CHECK_EQ(futex_wake(&to, 5), 5);
    AWAIT(__atomic_load_n(&returned, __ATOMIC_SEQ_CST) == 5);
    // Back and forth: two woken, the rest moved home.
    CHECK_EQ(futex(&to, FUTEX_CMP_REQUEUE_PRIVATE, 2, (void*)100, &from, 0), THREADS - 5);
    AWAIT(__atomic_load_n(&returned, __ATOMIC_SEQ_CST) == 7);
    CHECK_EQ(futex_wake(&to, 100), 0);
    CHECK_EQ(futex_wake(&from, 100), THREADS - 7);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
  }
  printf("20 rounds of %d\n", THREADS);
}
