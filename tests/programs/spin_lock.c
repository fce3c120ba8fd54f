// Spin locks exclude, even when the holder is descheduled and the spinners never yield.
#include "check.h"

enum { THREADS = 4 };
static pthread_spinlock_t lock;
static int counter, rounds;

static void* body(void* unused) {
  for (int i = 0; i < rounds; i++) {
    CHECK_OK(pthread_spin_lock(&lock));
    int seen = counter;
    if (i % 1000 == 0) sched_yield();
    counter = seen + 1;
    CHECK_OK(pthread_spin_unlock(&lock));
  }
  return unused;
}

static void* try_it(void* unused) {
  CHECK_EQ(pthread_spin_trylock(&lock), EBUSY);
  return unused;
}

int main(int argc, char** argv) {
  rounds = arg_or(argc, argv, 1, 5000);
  CHECK_OK(pthread_spin_init(&lock, PTHREAD_PROCESS_PRIVATE));
  CHECK_OK(pthread_spin_lock(&lock));
  join(spawn(try_it, NULL));
  CHECK_OK(pthread_spin_unlock(&lock));
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) threads[i] = spawn(body, NULL);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  CHECK_EQ(counter, THREADS * rounds);
  CHECK_OK(pthread_spin_destroy(&lock));
  printf("counter %d\n", counter);
}
