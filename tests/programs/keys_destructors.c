// Key destructors: once per non-null value, again for values that a destructor sets, at most
// PTHREAD_DESTRUCTOR_ITERATIONS rounds, and for threads that leave in every way.
#include "check.h"

#include <limits.h>

static pthread_key_t plain, renewed, endless, silent;
static int plain_calls, renewed_calls, endless_calls;

static void on_plain(void* value) {
  CHECK(pthread_getspecific(plain) == NULL);
  __atomic_add_fetch(&plain_calls, (int)(intptr_t)value, __ATOMIC_SEQ_CST);
}

static void on_renewed(void* value) {
  __atomic_add_fetch(&renewed_calls, 1, __ATOMIC_SEQ_CST);
  if ((intptr_t)value > 1) CHECK_OK(pthread_setspecific(renewed, (char*)value - 1));
}

static void on_endless(void* value) {
  __atomic_add_fetch(&endless_calls, 1, __ATOMIC_SEQ_CST);
  CHECK_OK(pthread_setspecific(endless, value));
}

static void* body(void* argument) {
  CHECK(pthread_getspecific(plain) == NULL);
  CHECK_OK(pthread_setspecific(plain, argument));
  CHECK_OK(pthread_setspecific(renewed, (void*)3));
  CHECK_OK(pthread_setspecific(endless, argument));
  CHECK_OK(pthread_setspecific(silent, argument));
  sched_yield();
  CHECK(pthread_getspecific(plain) == argument);
  if ((intptr_t)argument % 3 == 0) pthread_exit(argument);
  if ((intptr_t)argument % 3 == 1) {
    CHECK_OK(pthread_cancel(pthread_self()));
    pthread_testcancel();
    CHECK(!"cancelled");
  }
  return argument;
}

int main(void) {
  enum { THREADS = 60 };
  CHECK_OK(pthread_key_create(&plain, on_plain));
  CHECK_OK(pthread_key_create(&renewed, on_renewed));
  CHECK_OK(pthread_key_create(&endless, on_endless));
  CHECK_OK(pthread_key_create(&silent, NULL));
  pthread_t threads[THREADS];
  for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(body, (void*)(i + 1));
  for (intptr_t i = 0; i < THREADS; i++) {
    CHECK(join(threads[i]) == ((i + 1) % 3 == 1 ? PTHREAD_CANCELED : (void*)(i + 1)));
  }
  CHECK_EQ(plain_calls, THREADS * (THREADS + 1) / 2);
  CHECK_EQ(renewed_calls, THREADS * 3);
  CHECK_EQ(endless_calls, THREADS * PTHREAD_DESTRUCTOR_ITERATIONS);
  printf("%d %d %d\n", plain_calls, renewed_calls, endless_calls);
}
