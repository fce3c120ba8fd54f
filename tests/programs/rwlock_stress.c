// Readers never see a half-done write, of either preference, with try and timed variants mixed in.
#include "check.h"

enum { THREADS = 8 };
static pthread_rwlock_t lock;
static int rounds, left, right, writes;

static void* body(void* argument) {
  unsigned seed = (unsigned)(intptr_t)argument;
  for (int i = 0; i < rounds; i++) {
    int dice = rand_r(&seed) % 12;
    struct timespec end = after_ms(CLOCK_REALTIME, 20000);
    if (dice < 2) {
      if (dice == 0)
        CHECK_OK(pthread_rwlock_wrlock(&lock));
      else
        CHECK_OK(pthread_rwlock_timedwrlock(&lock, &end));
      left++;
      if (i % 16 == 0) sched_yield();
      right++;
      writes++;
      CHECK_OK(pthread_rwlock_unlock(&lock));
    } else {
      int result = dice == 2   ? pthread_rwlock_tryrdlock(&lock)
                   : dice == 3 ? pthread_rwlock_timedrdlock(&lock, &end)
                               : pthread_rwlock_rdlock(&lock);
      if (result == EBUSY && dice == 2) continue;
      CHECK_OK(result);
      CHECK_EQ(left, right);
      CHECK_OK(pthread_rwlock_unlock(&lock));
    }
  }
  return NULL;
}

int main(int argc, char** argv) {
  rounds = arg_or(argc, argv, 2, 5000);
  pthread_rwlockattr_t attr;
  CHECK_OK(pthread_rwlockattr_init(&attr));
  if (argc > 1 && strcmp(argv[1], "writer") == 0) {
    CHECK_OK(pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP));
  }
  CHECK_OK(pthread_rwlock_init(&lock, &attr));
  pthread_t threads[THREADS];
  for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(body, (void*)(i + 1));
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  CHECK_EQ(left, writes);
  CHECK_EQ(right, writes);
  CHECK(writes > rounds / 2);
  CHECK_OK(pthread_rwlock_destroy(&lock));
  printf("%d threads of %d rounds\n", THREADS, rounds);
}
