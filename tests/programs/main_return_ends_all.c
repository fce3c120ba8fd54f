// Returning from main ends the process although other threads are blocked, computing or sleeping.
#include "check.h"

static int started;

static void* computing(void* unused) {
  (void)unused;
  __atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
  for (volatile unsigned i = 0;; i++) {
  }
  return NULL;
}

static void* sleeping(void* unused) {
  __atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
  sleep(1000);
  return unused;
}

static void* blocked(void* argument) {
  __atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
  pthread_mutex_lock(argument);
  CHECK(!"the mutex is never unlocked");
  return NULL;
}

int main(void) {
  static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;  // Outlives this frame.
  CHECK_OK(pthread_mutex_lock(&mutex));
  spawn(sleeping, NULL);
  spawn(blocked, &mutex);
  spawn(computing, NULL);
  AWAIT(__atomic_load_n(&started, __ATOMIC_SEQ_CST) == 3);
  printf("left %d threads behind\n", started);
}
