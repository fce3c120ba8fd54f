// Timed waits on both clocks: not early, the mutex is owned again, a signal in time wins, and a
// time in the past still lets go of the mutex properly.
#include "check.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond;
static int ready;

static void* signaller(void* unused) {
  CHECK_OK(pthread_mutex_lock(&mutex));
  ready = 1;
  CHECK_OK(pthread_cond_signal(&cond));
  CHECK_OK(pthread_mutex_unlock(&mutex));
  return unused;
}

static void* try_it(void* unused) {
  CHECK_EQ(pthread_mutex_trylock(&mutex), EBUSY);
  return unused;
}

static void expect_timeout(clockid_t clock, int clockwait) {
  int64_t start = now_ns(clock), late;
  struct timespec end = to_timespec(start + 20 * MS);
  int result;
  do {  // Spurious wake-ups are allowed.
    result = clockwait ? pthread_cond_clockwait(&cond, &mutex, clock, &end)
                       : pthread_cond_timedwait(&cond, &mutex, &end);
    late = now_ns(clock) - start - 20 * MS;
  } while (result == 0);
  CHECK_EQ(result, ETIMEDOUT);
  CHECK(late >= 0);
  join(spawn(try_it, NULL));
}

int main(void) {
  for (int monotonic = 0; monotonic < 2; monotonic++) {
    clockid_t clock = monotonic ? CLOCK_MONOTONIC : CLOCK_REALTIME;
    pthread_condattr_t attr;
    CHECK_OK(pthread_condattr_init(&attr));
    CHECK_OK(pthread_condattr_setclock(&attr, clock));
    CHECK_OK(pthread_cond_init(&cond, &attr));
    CHECK_OK(pthread_mutex_lock(&mutex));
    expect_timeout(clock, 0);
    expect_timeout(CLOCK_REALTIME, 1);
    expect_timeout(CLOCK_MONOTONIC, 1);
    struct timespec past = to_timespec(1), bad = {0, SECOND};
    CHECK_EQ(pthread_cond_timedwait(&cond, &mutex, &past), ETIMEDOUT);
    CHECK_EQ(pthread_cond_timedwait(&cond, &mutex, &bad), EINVAL);
    for (int i = 0; i < 20; i++) {
      ready = 0;
      pthread_t thread = spawn(signaller, NULL);
      struct timespec end = after_ms(clock, 20000);
      while (!ready) CHECK_OK(pthread_cond_timedwait(&cond, &mutex, &end));
      CHECK_OK(pthread_mutex_unlock(&mutex));
      join(thread);
      CHECK_OK(pthread_mutex_lock(&mutex));
    }
    CHECK_OK(pthread_mutex_unlock(&mutex));
    CHECK_OK(pthread_cond_destroy(&cond));
  }
  printf("both clocks\n");
}
