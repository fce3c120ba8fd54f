// A process-shared mutex and condition in a shared mapping, used by threads of two processes.
#include "shared.h"

#include <sys/wait.h>

enum { THREADS = 4, ROUNDS = 300 };
static struct {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  int turn, counter;
} * shared;

static void* body(void* side) {
  for (int i = 0; i < ROUNDS; i++) {
    CHECK_OK(pthread_mutex_lock(&shared->mutex));
    while (shared->turn != (intptr_t)side) {
      CHECK_OK(pthread_cond_wait(&shared->changed, &shared->mutex));
    }
    shared->turn = 1 - shared->turn;
    shared->counter++;
    CHECK_OK(pthread_cond_broadcast(&shared->changed));
    CHECK_OK(pthread_mutex_unlock(&shared->mutex));
  }
  return NULL;
}

static void run(intptr_t side) {
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) threads[i] = spawn(body, (void*)side);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
}

int main(void) {
  shared = map_shared(-1, sizeof *shared);
  pthread_condattr_t cond_attr;
  init_shared_mutex(&shared->mutex, PTHREAD_MUTEX_DEFAULT, PTHREAD_MUTEX_STALLED,
                    PTHREAD_PRIO_NONE);
  CHECK_OK(pthread_condattr_init(&cond_attr));
  CHECK_OK(pthread_condattr_setpshared(&cond_attr, PTHREAD_PROCESS_SHARED));
  CHECK_OK(pthread_cond_init(&shared->changed, &cond_attr));
  pid_t child = fork();
  CHECK(child >= 0);
  run(child == 0);
  if (child == 0) _exit(0);
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
  CHECK_EQ(shared->counter, 2 * THREADS * ROUNDS);
  printf("%d turns\n", shared->counter);
}
