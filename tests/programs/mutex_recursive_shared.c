// A recursive or error-checking mutex that processes share knows its owner by number: a thread of
// another process, be it the first there as the owner is here, is not the owner.
#include "shared.h"

#include <sys/wait.h>

enum { THREADS = 4 };
static struct {
  pthread_mutex_t mutexes[2];
  pthread_barrier_t held, tried;
} * shared;

static void* tries(void* unused) {
  for (int i = 0; i < 2; i++) CHECK_EQ(pthread_mutex_trylock(&shared->mutexes[i]), EBUSY);
  return unused;
}

static void* holds(void* number) {
  if (number) {  // only the first is an owner; the others have numbers, too
    sleep_ms(20);
    return NULL;
  }
  for (int i = 0; i < 2; i++) CHECK_OK(pthread_mutex_lock(&shared->mutexes[i]));
  CHECK_OK(pthread_mutex_lock(&shared->mutexes[0]));
  CHECK_EQ(pthread_mutex_lock(&shared->mutexes[1]), EDEADLK);
  pthread_barrier_wait(&shared->held);
  pthread_barrier_wait(&shared->tried);
  CHECK_OK(pthread_mutex_unlock(&shared->mutexes[0]));
  for (int i = 0; i < 2; i++) CHECK_OK(pthread_mutex_unlock(&shared->mutexes[i]));
  return NULL;
}

int main(void) {
  shared = map_shared(-1, sizeof *shared);
  for (int i = 0; i < 2; i++) {
    int type = i ? PTHREAD_MUTEX_ERRORCHECK : PTHREAD_MUTEX_RECURSIVE;
    init_shared_mutex(&shared->mutexes[i], type, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE);
  }
  pthread_barrierattr_t both;
  CHECK_OK(pthread_barrierattr_init(&both));
  CHECK_OK(pthread_barrierattr_setpshared(&both, PTHREAD_PROCESS_SHARED));
  CHECK_OK(pthread_barrier_init(&shared->held, &both, 2));
  CHECK_OK(pthread_barrier_init(&shared->tried, &both, 2));
  pid_t child = fork();
  if (child == 0) {
    pthread_barrier_wait(&shared->held);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) threads[i] = spawn(tries, NULL);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    pthread_barrier_wait(&shared->tried);
    _exit(0);
  }
  pthread_t threads[THREADS];
  for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(holds, (void*)i);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
  puts("kept out");
}
