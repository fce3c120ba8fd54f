// Semaphores: value, try, timed on both clocks, overflow, many posters and waiters.
#include "check.h"

#include <limits.h>
#include <semaphore.h>

enum { THREADS = 6 };
static sem_t items, done;
static int each, taken;

static void* poster(void* unused) {
  for (int i = 0; i < each; i++) CHECK_OK(sem_post(&items));
  return unused;
}

static void* taker(void* timed) {
  for (int i = 0; i < each; i++) {
    struct timespec end = after_ms(CLOCK_REALTIME, 20000);
    CHECK_OK(timed ? sem_timedwait(&items, &end) : sem_wait(&items));
    __atomic_add_fetch(&taken, 1, __ATOMIC_SEQ_CST);
  }
  CHECK_OK(sem_post(&done));
  return NULL;
}

int main(int argc, char** argv) {
  int value;
  each = arg_or(argc, argv, 1, 5000);
  CHECK_ERRNO(sem_init(&items, 0, (unsigned)SEM_VALUE_MAX + 1), EINVAL);
  CHECK_OK(sem_init(&items, 0, SEM_VALUE_MAX));
  CHECK_ERRNO(sem_post(&items), EOVERFLOW);
  CHECK_OK(sem_init(&items, 0, 2));
  CHECK_OK(sem_init(&done, 0, 0));
  CHECK_OK(sem_trywait(&items));
  CHECK_OK(sem_getvalue(&items, &value));
  CHECK_EQ(value, 1);
  CHECK_OK(sem_wait(&items));
  CHECK_ERRNO(sem_trywait(&items), EAGAIN);

  int64_t start = now_ns(CLOCK_REALTIME);
  struct timespec end = to_timespec(start + 20 * MS);
  CHECK_ERRNO(sem_timedwait(&items, &end), ETIMEDOUT);
  CHECK(now_ns(CLOCK_REALTIME) - start >= 20 * MS);
  start = now_ns(CLOCK_MONOTONIC);
  end = to_timespec(start + 20 * MS);
  CHECK_ERRNO(sem_clockwait(&items, CLOCK_MONOTONIC, &end), ETIMEDOUT);
  CHECK(now_ns(CLOCK_MONOTONIC) - start >= 20 * MS);
  end.tv_nsec = SECOND;
  CHECK_ERRNO(sem_timedwait(&items, &end), EINVAL);

  pthread_t threads[2 * THREADS];
  for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(taker, (void*)(i % 2));
  for (int i = 0; i < THREADS; i++) threads[THREADS + i] = spawn(poster, NULL);
  for (int i = 0; i < THREADS; i++) CHECK_OK(sem_wait(&done));
  for (int i = 0; i < 2 * THREADS; i++) join(threads[i]);
  CHECK_EQ(taken, THREADS * each);
  CHECK_OK(sem_getvalue(&items, &value));
  CHECK_EQ(value, 0);
  printf("%d taken\n", taken);
}
