// timedlock and clocklock on each type: time out no earlier than asked, with a bad time refused,
// and taken when the holder lets go in time.
#include "check.h"

static void* refused(void* mutex) {
  int64_t start = now_ns(CLOCK_REALTIME);
  struct timespec end = to_timespec(start + 20 * MS);
  CHECK_EQ(pthread_mutex_timedlock(mutex, &end), ETIMEDOUT);
  CHECK(now_ns(CLOCK_REALTIME) - start >= 20 * MS);
  start = now_ns(CLOCK_MONOTONIC);
  end = to_timespec(start + 20 * MS);
  CHECK_EQ(pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, &end), ETIMEDOUT);
  CHECK(now_ns(CLOCK_MONOTONIC) - start >= 20 * MS);
  end = to_timespec(1);
  CHECK_EQ(pthread_mutex_timedlock(mutex, &end), ETIMEDOUT);
  end.tv_nsec = SECOND;
  CHECK_EQ(pthread_mutex_timedlock(mutex, &end), EINVAL);
  return NULL;
}

static void* granted(void* mutex) {
  struct timespec end = after_ms(CLOCK_MONOTONIC, 20000);
  CHECK_OK(pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, &end));
  CHECK_OK(pthread_mutex_unlock(mutex));
  end = after_ms(CLOCK_REALTIME, 20000);
  CHECK_OK(pthread_mutex_timedlock(mutex, &end));
  CHECK_OK(pthread_mutex_unlock(mutex));
  return NULL;
}

int main(void) {
  const int types[] = {PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_RECURSIVE};
  for (int i = 0; i < 6; i++) {
    pthread_mutexattr_t attr;
    pthread_mutex_t mutex;
    CHECK_OK(pthread_mutexattr_init(&attr));
    CHECK_OK(pthread_mutexattr_settype(&attr, types[i % 3]));
    if (i >= 3) CHECK_OK(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST));
    CHECK_OK(pthread_mutex_init(&mutex, &attr));
    CHECK_OK(pthread_mutex_lock(&mutex));
    pthread_t a = spawn(refused, &mutex), b = spawn(refused, &mutex), c = spawn(granted, &mutex);
    join(a);
    join(b);
    CHECK_EQ(pthread_tryjoin_np(c, NULL), EBUSY);
    CHECK_OK(pthread_mutex_unlock(&mutex));
    join(c);
    CHECK_OK(pthread_mutex_destroy(&mutex));
  }
  printf("6 kinds\n");
}
