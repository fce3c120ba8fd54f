// A priority-inheritance mutex in shared memory between the main thread, whose number the kernel
// knows too, and a thread of the kernel's scheduling: who waits gets it.
#include "tests/programs/check.h"
#include "tests/programs/shared.h"

enum { kRounds = 20 };

static pthread_mutex_t* mutex;
static int inside;

static void* waits(void* unused) {
  CHECK_OK(pthread_mutex_lock(mutex));
  inside++;
  CHECK_OK(pthread_mutex_unlock(mutex));
  return unused;
}

int main(void) {
  pthread_attr_t attr;
  CHECK_OK(pthread_attr_init(&attr));
  (void)pthread_attr_setscope(&attr, PTHREAD_SCOPE_PROCESS);  // else SYSTEM is no wish of one's own
  CHECK_OK(pthread_attr_setscope(&attr, PTHREAD_SCOPE_SYSTEM));
  mutex = map_shared(-1, sizeof *mutex);
  init_shared_mutex(mutex, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_INHERIT);
  for (int i = 0; i < kRounds; i++) {
    pthread_t thread;
    CHECK_OK(pthread_mutex_lock(mutex));
    CHECK_OK(pthread_create(&thread, &attr, waits, NULL));
    sleep_ms(3);
    CHECK_EQ(inside, i);
    CHECK_OK(pthread_mutex_unlock(mutex));
    CHECK_OK(pthread_join(thread, NULL));
  }
  printf("%d times\n", inside);
  return 0;
}
