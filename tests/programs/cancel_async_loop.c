// Asynchronous cancellation ends a loop that makes no call at all.
#include "check.h"

static int started, cleaned;

static void clean(void* unused) {
  (void)unused;
  __atomic_add_fetch(&cleaned, 1, __ATOMIC_SEQ_CST);
}

static void* body(void* unused) {
  (void)unused;
  int old;
  CHECK_OK(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old));
  CHECK_EQ(old, PTHREAD_CANCEL_DEFERRED);
  pthread_cleanup_push(clean, NULL);
  __atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
  for (volatile unsigned long i = 0;; i++) {
  }
  pthread_cleanup_pop(0);
  return NULL;
}

int main(void) {
  enum { THREADS = 4 };
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) threads[i] = spawn(body, NULL);
  AWAIT(__atomic_load_n(&started, __ATOMIC_SEQ_CST) == THREADS);
  for (int i = 0; i < THREADS; i++) CHECK_OK(pthread_cancel(threads[i]));
  for (int i = 0; i < THREADS; i++) CHECK(join(threads[i]) == PTHREAD_CANCELED);
  CHECK_EQ(cleaned, THREADS);
  printf("%d loops cancelled\n", cleaned);
}
