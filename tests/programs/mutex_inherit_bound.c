// A priority-inheritance mutex in shared memory between the main thread, whose number the kernel
// knows too, and a thread of the kernel's scheduling: who waits gets it.
#include "tests/programs/scope.h"
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
  mutex = map_shared(-1, sizeof *mutex);
  init_shared_mutex(mutex, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_INHERIT);
  for (int i = 0; i < kRounds; i++) {
    CHECK_OK(pthread_mutex_lock(mutex));
    pthread_t thread = spawn_scoped(PTHREAD_SCOPE_SYSTEM, waits, NULL);
    sleep_ms(3);
    CHECK_EQ(inside, i);
    CHECK_OK(pthread_mutex_unlock(mutex));
    CHECK_OK(pthread_join(thread, NULL));
  }
  printf("%d times\n", inside);
  return 0;
}
