// FUTEX_WAKE wakes as many as it is told and says how many; FUTEX_WAIT returns 0 when woken.
#include "futex.h"

enum { THREADS = 10 };
static uint32_t word;
static int returned;

static void* waiter(void* unused) {
  CHECK_EQ(futex_wait(&word, 0), 0);
  __atomic_add_fetch(&returned, 1, __ATOMIC_SEQ_CST);
  return unused;
}

int main(void) {
  CHECK_EQ(futex_wake(&word, 5), 0);
  for (int round = 0; round < 50; round++) {
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) threads[i] = spawn(waiter, NULL);
    returned = 0;
    futex_wake_exactly(&word, 3);
    AWAIT(__atomic_load_n(&returned, __ATOMIC_SEQ_CST) == 3);
    sleep_ms(1);
    CHECK_EQ(__atomic_load_n(&returned, __ATOMIC_SEQ_CST), 3);
    futex_wake_exactly(&word, THREADS - 3);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    CHECK_EQ(futex_wake(&word, INT32_MAX), 0);
  }
  printf("%d woken per round\n", THREADS);
}
