// Threads of all kinds contend for one priority-inheritance mutex in shared memory: the main one,
// those of either scope, and a child's, one of which has no other threads. Nobody is forgotten.
// There has been a thread before the fork: a process that has had none counts as a native one,
// which cannot wait for a green owner (README).
#include "tests/programs/scope.h"
#include "tests/programs/shared.h"

enum { KINDS = 4, ROUNDS = 200, CHILDREN = 2 };

static struct {
  pthread_mutex_t mutex;
  int inside, taken, late;
} * shared;

static int lock(int way) {
  struct timespec end = after_ms(way % 8 == 1 ? CLOCK_REALTIME : CLOCK_MONOTONIC, way % 3);
  switch (way % 8) {
    case 0: return pthread_mutex_trylock(&shared->mutex);
    case 1: return pthread_mutex_timedlock(&shared->mutex, &end);
    case 2: return pthread_mutex_clocklock(&shared->mutex, CLOCK_MONOTONIC, &end);
    default: return pthread_mutex_lock(&shared->mutex);
  }
}

static void* contend(void* unused) {
  for (int i = 0; i < ROUNDS; i++) {
    int r = lock(i);
    if (r == EBUSY || r == ETIMEDOUT) {
      __atomic_fetch_add(&shared->late, 1, __ATOMIC_RELAXED);
      continue;
    }
    CHECK_OK(r);
    CHECK_EQ(shared->inside++, 0);
    shared->taken++;
    if (i % 5 == 0) sched_yield();
    if (i % 7 == 0) usleep(100);
    shared->inside--;
    CHECK_OK(pthread_mutex_unlock(&shared->mutex));
  }
  return unused;
}

static void with_threads(void) {
  pthread_t threads[KINDS];
  for (int i = 0; i < KINDS; i++)
    threads[i] = spawn_scoped(i % 2 ? PTHREAD_SCOPE_PROCESS : PTHREAD_SCOPE_SYSTEM, contend, NULL);
  contend(NULL);
  for (int i = 0; i < KINDS; i++) join(threads[i]);
}

static void* nothing(void* unused) { return unused; }

int main(void) {
  join(spawn(nothing, NULL));
  shared = map_shared(-1, sizeof *shared);
  init_shared_mutex(&shared->mutex, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED,
                    PTHREAD_PRIO_INHERIT);
  pid_t children[CHILDREN];
  for (int i = 0; i < CHILDREN; i++) {
    children[i] = fork();
    CHECK(children[i] >= 0);
    if (children[i] > 0) continue;
    if (i == 0) contend(NULL);
    if (i == 1) with_threads();
    _exit(7);
  }
  with_threads();
  join_children(children, CHILDREN);
  CHECK_EQ(shared->taken + shared->late, ROUNDS * (1 + 2 * (1 + KINDS)));
  puts("each had its turns");
}
