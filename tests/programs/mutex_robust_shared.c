// A process-shared robust mutex whose owner is a killed process, with threads here waiting for it.
#include "check.h"

#include <signal.h>
#include <sys/mman.h>
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
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(shared != MAP_FAILED);
  pthread_mutexattr_t attr;
  CHECK_OK(pthread_mutexattr_init(&attr));
  CHECK_OK(pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED));
  CHECK_OK(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST));
  CHECK_OK(pthread_mutex_init(&shared->mutex, &attr));
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
