// tryjoin, timedjoin and clockjoin: busy, timed out no earlier than asked, then successful.
#include "check.h"

static void* body(void* mutex) {
  CHECK_OK(pthread_mutex_lock(mutex));
  CHECK_OK(pthread_mutex_unlock(mutex));
  return mutex;
}

int main(void) {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  CHECK_OK(pthread_mutex_lock(&mutex));
  pthread_t a = spawn(body, &mutex), b = spawn(body, &mutex), c = spawn(body, &mutex);
  void* result = NULL;
  CHECK_EQ(pthread_tryjoin_np(a, &result), EBUSY);

  int64_t start = now_ns(CLOCK_REALTIME);
  struct timespec end = to_timespec(start + 30 * MS);
  CHECK_EQ(pthread_timedjoin_np(a, &result, &end), ETIMEDOUT);
  CHECK(now_ns(CLOCK_REALTIME) - start >= 30 * MS);

  start = now_ns(CLOCK_MONOTONIC);
  end = to_timespec(start + 30 * MS);
  CHECK_EQ(pthread_clockjoin_np(b, &result, CLOCK_MONOTONIC, &end), ETIMEDOUT);
  CHECK(now_ns(CLOCK_MONOTONIC) - start >= 30 * MS);
  CHECK(result == NULL);

  CHECK_OK(pthread_mutex_unlock(&mutex));
  end = after_ms(CLOCK_REALTIME, 20000);
  CHECK_OK(pthread_timedjoin_np(a, &result, &end));
  CHECK(result == &mutex);
  end = after_ms(CLOCK_MONOTONIC, 20000);
  CHECK_OK(pthread_clockjoin_np(b, &result, CLOCK_MONOTONIC, &end));
  AWAIT(pthread_tryjoin_np(c, &result) == 0);
  printf("joined in time\n");
}
