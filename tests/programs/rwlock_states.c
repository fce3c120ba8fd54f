// What each rwlock call answers while others read or write, and how its timed waits end.
#include "check.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;

static void* while_read(void* unused) {
  CHECK_EQ(pthread_rwlock_trywrlock(&lock), EBUSY);
  CHECK_OK(pthread_rwlock_tryrdlock(&lock));
  CHECK_OK(pthread_rwlock_unlock(&lock));
  int64_t start = now_ns(CLOCK_MONOTONIC);
  struct timespec end = to_timespec(start + 20 * MS);
  CHECK_EQ(pthread_rwlock_clockwrlock(&lock, CLOCK_MONOTONIC, &end), ETIMEDOUT);
  CHECK(now_ns(CLOCK_MONOTONIC) - start >= 20 * MS);
  CHECK_OK(pthread_rwlock_rdlock(&lock));  // The writer that gave up leaves no trace.
  CHECK_OK(pthread_rwlock_unlock(&lock));
  return unused;
}

static void* while_written(void* unused) {
  CHECK_EQ(pthread_rwlock_trywrlock(&lock), EBUSY);
  CHECK_EQ(pthread_rwlock_tryrdlock(&lock), EBUSY);
  int64_t start = now_ns(CLOCK_REALTIME);
  struct timespec end = to_timespec(start + 20 * MS);
  CHECK_EQ(pthread_rwlock_timedrdlock(&lock, &end), ETIMEDOUT);
  CHECK(now_ns(CLOCK_REALTIME) - start >= 20 * MS);
  end.tv_nsec = -1;
  CHECK_EQ(pthread_rwlock_timedwrlock(&lock, &end), EINVAL);
  return unused;
}

static void* writer(void* flag) {
  CHECK_OK(pthread_rwlock_wrlock(&lock));
  *(int*)flag = 1;
  CHECK_OK(pthread_rwlock_unlock(&lock));
  return NULL;
}

int main(void) {
  CHECK_OK(pthread_rwlock_rdlock(&lock));
  CHECK_OK(pthread_rwlock_rdlock(&lock));
  join(spawn(while_read, NULL));
  int written = 0;
  pthread_t waiting = spawn(writer, &written);
  sleep_ms(10);
  CHECK_OK(pthread_rwlock_unlock(&lock));
  CHECK_EQ(pthread_tryjoin_np(waiting, NULL), EBUSY);
  CHECK_EQ(__atomic_load_n(&written, __ATOMIC_SEQ_CST), 0);
  CHECK_OK(pthread_rwlock_unlock(&lock));
  join(waiting);
  CHECK_EQ(written, 1);
  CHECK_OK(pthread_rwlock_wrlock(&lock));
  CHECK_EQ(pthread_rwlock_wrlock(&lock), EDEADLK);
  CHECK_EQ(pthread_rwlock_rdlock(&lock), EDEADLK);
  join(spawn(while_written, NULL));
  CHECK_OK(pthread_rwlock_unlock(&lock));
  printf("states as documented\n");
}
