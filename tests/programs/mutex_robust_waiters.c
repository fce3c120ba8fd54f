// Threads already waiting for a robust mutex when its owner ends: exactly one inherits it.
#include "check.h"

enum { WAITERS = 6 };
static pthread_mutex_t mutex;
static int inherited, held;

static void* owner(void* unused) {
  CHECK_OK(pthread_mutex_lock(&mutex));
  __atomic_store_n(&held, 1, __ATOMIC_SEQ_CST);
  sleep_ms(10);
  return unused;
}

static void* waiter(void* unused) {
  int result = pthread_mutex_lock(&mutex);
  if (result == EOWNERDEAD) {
    inherited++;
    CHECK_OK(pthread_mutex_consistent(&mutex));
  } else {
    CHECK_OK(result);
  }
  CHECK_OK(pthread_mutex_unlock(&mutex));
  return unused;
}

int main(void) {
  for (int round = 0; round < 20; round++) {
    pthread_mutexattr_t attr;
    CHECK_OK(pthread_mutexattr_init(&attr));
    CHECK_OK(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST));
    if (round % 2) CHECK_OK(pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT));
    CHECK_OK(pthread_mutex_init(&mutex, &attr));
    held = 0;
    pthread_t threads[WAITERS + 1] = {spawn(owner, NULL)};
    AWAIT(__atomic_load_n(&held, __ATOMIC_SEQ_CST));
    for (int i = 1; i <= WAITERS; i++) threads[i] = spawn(waiter, NULL);
    for (int i = 0; i <= WAITERS; i++) join(threads[i]);
    CHECK_EQ(inherited, round + 1);
    CHECK_OK(pthread_mutex_destroy(&mutex));
  }
  printf("%d inherited\n", inherited);
}
