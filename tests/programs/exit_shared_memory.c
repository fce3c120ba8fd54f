// The end of a thread is told to those who wait for it in memory that processes share: the joiner
// of a thread whose stack lies there, and another process at a robust mutex.
#include "shared.h"

#include <sys/wait.h>

static void* nothing(void* argument) {
  sleep_ms(20);
  return argument;
}

static void* dies_with_lock(void* mutex) {
  CHECK_OK(pthread_mutex_lock(mutex));
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    alarm(10);
    CHECK_EQ(pthread_mutex_lock(mutex), EOWNERDEAD);
    CHECK_OK(pthread_mutex_consistent(mutex));
    CHECK_OK(pthread_mutex_unlock(mutex));
    _exit(0);
  }
  sleep_ms(200);  // The child waits by now.
  return (void*)(intptr_t)child;
}

int main(void) {
  enum { SIZE = 1 << 20 };
  char* shared = map_shared(-1, 2 * SIZE);
  pthread_attr_t attr;
  CHECK_OK(pthread_attr_init(&attr));
  CHECK_OK(pthread_attr_setstack(&attr, shared, SIZE));
  pthread_t thread;
  CHECK_OK(pthread_create(&thread, &attr, nothing, NULL));
  join(thread);

  pthread_mutex_t* mutex = (pthread_mutex_t*)(shared + SIZE);
  init_shared_mutex(mutex, PTHREAD_MUTEX_DEFAULT, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_NONE);
  pid_t child = (pid_t)(intptr_t)join(spawn(dies_with_lock, mutex));
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
  puts("joined, and the dead owner noticed");
}
