// A process-shared robust mutex whose owner is a killed process, with threads here waiting for it.
#include "shared.h"

#include <signal.h>
#include <sys/wait.h>

static struct {
  pthread_mutex_t mutex;
  int held, inherited;
} * shared;

static void* waiter(void* unused) {
  int result = pthread_mutex_lock(&shared->mutex);
  if (result == EOWNERDEAD) {
    shared->inherited++;
    CHECK_OK(pthread_mutex_consistent(&shared->mutex));
  } else {
    CHECK_OK(result);
  }
  CHECK_OK(pthread_mutex_unlock(&shared->mutex));
  return unused;
}

int main(void) {
  shared = map_shared(-1, sizeof *shared);
  init_shared_mutex(&shared->mutex, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_NONE);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    CHECK_OK(pthread_mutex_lock(&shared->mutex));
    __atomic_store_n(&shared->held, 1, __ATOMIC_SEQ_CST);
    for (;;) pause();
  }
  AWAIT(__atomic_load_n(&shared->held, __ATOMIC_SEQ_CST));
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) threads[i] = spawn(waiter, NULL);
  sleep_ms(10);
  CHECK_EQ(shared->inherited, 0);
  CHECK_OK(kill(child, SIGKILL));
  for (int i = 0; i < 4; i++) join(threads[i]);
  CHECK_EQ(waitpid(child, NULL, 0), child);
  CHECK_EQ(shared->inherited, 1);
  printf("inherited from a killed process\n");
}
