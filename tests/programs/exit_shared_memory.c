// The end of a thread is told to those who wait for it in memory that processes share: the joiner
// of a thread whose stack lies there, and another process at a robust mutex.
#include "check.h"

#include <sys/mman.h>
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
  char* shared = mmap(NULL, 2 * SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(shared != MAP_FAILED);
  pthread_attr_t attr;
  CHECK_OK(pthread_attr_init(&attr));
  CHECK_OK(pthread_attr_setstack(&attr, shared, SIZE));
  pthread_t thread;
  CHECK_OK(pthread_create(&thread, &attr, nothing, NULL));
  join(thread);

  pthread_mutex_t* mutex = (pthread_mutex_t*)(shared + SIZE);
  pthread_mutexattr_t kind;
  CHECK_OK(pthread_mutexattr_init(&kind));
  CHECK_OK(pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED));
  CHECK_OK(pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST));
  CHECK_OK(pthread_mutex_init(mutex, &kind));
  pid_t child = (pid_t)(intptr_t)join(spawn(dies_with_lock, mutex));
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
  puts("joined, and the dead owner noticed");
}
