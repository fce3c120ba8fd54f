// FUTEX_LOCK_PI, TRYLOCK_PI and UNLOCK_PI: the word holds the owner's tid and the waiters' bit, the
// kernel hands over, and wrong calls are refused.
#include "futex.h"

enum { THREADS = 5, ROUNDS = 200 };
static uint32_t word;
static int inside, taken;

static long pi(int op) { return futex(&word, op | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, 0); }

static void lock(void) {
  uint32_t zero = 0;
  if (__atomic_compare_exchange_n(&word, &zero, (uint32_t)gettid(), 0, __ATOMIC_SEQ_CST,
                                  __ATOMIC_SEQ_CST)) {
    return;
  }
  CHECK_OK(pi(FUTEX_LOCK_PI));
}

static void unlock(void) {
  uint32_t tid = (uint32_t)gettid();
  if (__atomic_compare_exchange_n(&word, &tid, 0, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) return;
  CHECK_OK(pi(FUTEX_UNLOCK_PI));
}

static void* body(void* unused) {
  for (int i = 0; i < ROUNDS; i++) {
    lock();
    CHECK_EQ(inside++, 0);
    CHECK_EQ(word & FUTEX_TID_MASK, gettid());
    taken++;
    if (i % 8 == 0) sched_yield();
    inside--;
    unlock();
  }
  return unused;
}

static void* while_held(void* unused) {
  CHECK_ERRNO(pi(FUTEX_TRYLOCK_PI), EAGAIN);
  CHECK_ERRNO(pi(FUTEX_UNLOCK_PI), EPERM);
  struct timespec end = after_ms(CLOCK_REALTIME, 10);
  CHECK_ERRNO(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, &end, NULL, 0), ETIMEDOUT);
  return unused;
}

int main(void) {
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) threads[i] = spawn(body, NULL);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  CHECK_EQ(taken, THREADS * ROUNDS);
  CHECK_EQ(word, 0);
  CHECK_OK(pi(FUTEX_TRYLOCK_PI));
  CHECK_EQ(word & FUTEX_TID_MASK, gettid());
  CHECK_ERRNO(pi(FUTEX_LOCK_PI), EDEADLK);
  join(spawn(while_held, NULL));
  unlock();
  CHECK_EQ(word, 0);
  printf("%d taken\n", taken);
}
