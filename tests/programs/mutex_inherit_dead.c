// A thread ends with a mutex in hand that inherits priorities and is not robust. Who waits for it
// then has it, marked, and who comes later is told that its owner is gone (futex(2)).
#include "futex.h"

static uint32_t word;
static volatile int held, leave;

static void* hold_to_the_end(void* unused) {
  CHECK_OK(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
  held = 1;
  AWAIT(leave);
  return unused;
}

static void* wait_for(void* unused) {
  CHECK_OK(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
  CHECK_EQ(word & FUTEX_TID_MASK, gettid());
  CHECK(word & FUTEX_OWNER_DIED);
  CHECK_OK(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
  CHECK_EQ(word, 0);
  return unused;
}

int main(void) {
  pthread_t owner = spawn(hold_to_the_end, NULL);
  AWAIT(held);
  pthread_t waiter = spawn(wait_for, NULL);
  AWAIT(__atomic_load_n(&word, __ATOMIC_RELAXED) & FUTEX_WAITERS);
  leave = 1;
  join(owner);
  join(waiter);

  held = 0;
  owner = spawn(hold_to_the_end, NULL);
  AWAIT(held);
  join(owner);
  errno = 0;
  CHECK_EQ(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), -1);
  CHECK_EQ(errno, ESRCH);
  puts("marked, then gone");
}
