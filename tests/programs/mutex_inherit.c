// Priority-inheriting mutexes: hand-over between waiters, deadlock detection by type, timeouts.
#include "check.h"

static pthread_mutex_t mutex;
static int got;

static void* taker(void* unused) {
  CHECK_OK(pthread_mutex_lock(&mutex));
  got++;
  CHECK_OK(pthread_mutex_unlock(&mutex));
  return unused;
}

static void* timed_out(void* unused) {
  int64_t start = now_ns(CLOCK_REALTIME);
  struct timespec end = to_timespec(start + 20 * MS);
  CHECK_EQ(pthread_mutex_timedlock(&mutex, &end), ETIMEDOUT);
  CHECK(now_ns(CLOCK_REALTIME) - start >= 20 * MS);
  CHECK_EQ(pthread_mutex_trylock(&mutex), EBUSY);
  return unused;
}

int main(void) {
  pthread_mutexattr_t attr;
  int protocol;
  CHECK_OK(pthread_mutexattr_init(&attr));
  CHECK_OK(pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT));
  CHECK_OK(pthread_mutexattr_getprotocol(&attr, &protocol));
  CHECK_EQ(protocol, PTHREAD_PRIO_INHERIT);
  CHECK_OK(pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK));
  CHECK_OK(pthread_mutex_init(&mutex, &attr));
  for (int round = 0; round < 10; round++) {
    CHECK_OK(pthread_mutex_lock(&mutex));
    CHECK_EQ(pthread_mutex_lock(&mutex), EDEADLK);
    pthread_t threads[6];
    for (int i = 0; i < 6; i++) threads[i] = spawn(i ? taker : timed_out, NULL);
    join(threads[0]);
    CHECK_EQ(got, round * 5);
    CHECK_OK(pthread_mutex_unlock(&mutex));
    CHECK_EQ(pthread_mutex_unlock(&mutex), EPERM);
    for (int i = 1; i < 6; i++) join(threads[i]);
  }
  CHECK_EQ(got, 50);
  CHECK_OK(pthread_mutex_destroy(&mutex));
  printf("%d handed over\n", got);
}
