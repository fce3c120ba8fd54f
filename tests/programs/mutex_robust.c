// A robust mutex whose owner ends, by return, exit or cancel: the next one gets EOWNERDEAD and may
// repair it; one who does not leaves it ENOTRECOVERABLE for all, waiters included.
#include "check.h"

static pthread_mutex_t mutex;

static void* die_holding(void* how) {
  CHECK_OK(pthread_mutex_lock(&mutex));
  if ((intptr_t)how % 3 == 1) pthread_exit(NULL);
  if ((intptr_t)how % 3 == 2) pthread_cancel(pthread_self()), pthread_testcancel();
  return NULL;
}

static void* expect_unrecoverable(void* unused) {
  CHECK_EQ(pthread_mutex_lock(&mutex), ENOTRECOVERABLE);
  return unused;
}

static void fresh(void) {
  pthread_mutexattr_t attr;
  CHECK_OK(pthread_mutexattr_init(&attr));
  CHECK_OK(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST));
  CHECK_OK(pthread_mutex_init(&mutex, &attr));
}

int main(void) {
  fresh();
  for (intptr_t i = 0; i < 30; i++) {
    pthread_t owner = spawn(die_holding, (void*)i);
    if (i % 2) join(owner);
    int result;
    // The owner may not have locked it yet; then there is nothing to repair.
    while ((result = pthread_mutex_lock(&mutex)) == 0) {
      CHECK_OK(pthread_mutex_unlock(&mutex));
      sched_yield();
    }
    CHECK_EQ(result, EOWNERDEAD);
    CHECK_OK(pthread_mutex_consistent(&mutex));
    CHECK_EQ(pthread_mutex_consistent(&mutex), EINVAL);
    CHECK_OK(pthread_mutex_unlock(&mutex));
    CHECK_OK(pthread_mutex_lock(&mutex));
    CHECK_OK(pthread_mutex_unlock(&mutex));
    if (i % 2 == 0) join(owner);
  }
  join(spawn(die_holding, NULL));
  CHECK_EQ(pthread_mutex_trylock(&mutex), EOWNERDEAD);
  // One waiter only: glibc 2.36 itself loses the wake-up of a second one.
  pthread_t waiter = spawn(expect_unrecoverable, NULL);
  sleep_ms(10);
  CHECK_OK(pthread_mutex_unlock(&mutex));
  join(waiter);
  for (int i = 0; i < 5; i++) join(spawn(expect_unrecoverable, NULL));
  CHECK_EQ(pthread_mutex_trylock(&mutex), ENOTRECOVERABLE);
  CHECK_OK(pthread_mutex_destroy(&mutex));
  fresh();
  CHECK_OK(pthread_mutex_lock(&mutex));
  CHECK_OK(pthread_mutex_unlock(&mutex));
  printf("owners died, others noticed\n");
}
