// FUTEX_WAKE_BITSET wakes only those whose set meets its own; an empty set is EINVAL.
#include "futex.h"

enum { THREADS = 8 };
static uint32_t word;
static int woken[THREADS];

static void* waiter(void* argument) {
  intptr_t bit = (intptr_t)argument;
  CHECK_EQ(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, 1u << bit), 0);
  __atomic_store_n(&woken[bit], 1, __ATOMIC_SEQ_CST);
  return NULL;
}

static long wake_bits(int count, uint32_t bits) {
  return futex(&word, FUTEX_WAKE_BITSET_PRIVATE, count, NULL, NULL, bits);
}

int main(void) {
  CHECK_ERRNO(wake_bits(1, 0), EINVAL);
  CHECK_ERRNO(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, 0), EINVAL);
  pthread_t threads[THREADS];
  for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(waiter, (void*)i);
  for (int i = THREADS - 1; i >= 4; i--) {
    CHECK_EQ(wake_bits(9, 1u << 20), 0);
    while (wake_bits(9, 1u << i) == 0) sleep_ms(1);
    join(threads[i]);
    for (int other = 0; other < i; other++) {
      CHECK_EQ(__atomic_load_n(&woken[other], __ATOMIC_SEQ_CST), 0);
    }
  }
  int count = 0;  // Bits 0 and 1 together.
  while (count < 2) {
    sleep_ms(1);
    count += (int)wake_bits(2 - count, 3);
  }  // Bits 0 and 1 together.
  join(threads[0]);
  join(threads[1]);
  futex_wake_exactly(&word, 2);  // A plain wake matches every bit.
  join(threads[2]);
  join(threads[3]);
  printf("%d bits\n", THREADS);
}
