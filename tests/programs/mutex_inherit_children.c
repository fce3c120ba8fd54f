// Children of a program with threads, one with a bound thread and one with none, contend with its
// green threads for a priority-inheritance mutex, whose owner changes between any two looks at it.
#include "tests/programs/scope.h"
#include "tests/programs/shared.h"

enum { CHILDREN = 2, THREADS = 4 };

static struct {
  pthread_mutex_t mutex;
  int inside;
} * shared;

static void* contend(void* unused) {
  const int64_t end = now_ns(CLOCK_MONOTONIC) + 1500 * MS;
  for (int i = 0; now_ns(CLOCK_MONOTONIC) < end; i++) {
    CHECK_OK(pthread_mutex_lock(&shared->mutex));
    CHECK_EQ(shared->inside++, 0);
    for (volatile int work = i % 301; work > 0; work--) {
    }
    shared->inside--;
    CHECK_OK(pthread_mutex_unlock(&shared->mutex));
    if (i % 4 == 0) usleep(i % 29);
  }
  return unused;
}

int main(void) {
  pthread_t threads[THREADS];
  pid_t children[CHILDREN];
  shared = map_shared(-1, sizeof *shared);
  init_shared_mutex(&shared->mutex, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED,
                    PTHREAD_PRIO_INHERIT);
  for (int i = 0; i < THREADS; i++) threads[i] = spawn_scoped(PTHREAD_SCOPE_PROCESS, contend, NULL);
  for (int i = 0; i < CHILDREN; i++) {
    children[i] = fork();
    CHECK(children[i] >= 0);
    if (children[i] > 0) continue;
    if (i == 0) contend(NULL);
    if (i == 1) join(spawn_scoped(PTHREAD_SCOPE_SYSTEM, contend, NULL));
    _exit(7);
  }
  join_children(children, CHILDREN);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  puts("each child had its turns");
}
