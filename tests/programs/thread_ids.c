// Threads alive together have different ids, keep them across blocking, and share one pid.
#include "check.h"

#include <signal.h>
#include <sys/syscall.h>

enum { THREADS = 300 };
static pid_t tids[THREADS];
static pthread_barrier_t all;

static void* body(void* argument) {
  pid_t tid = gettid();
  pthread_t self = pthread_self();
  tids[(intptr_t)argument] = tid;
  CHECK_EQ(getpid(), syscall(SYS_getpid));
  CHECK(tid != getpid());
  pthread_barrier_wait(&all);
  sleep_ms(2);
  CHECK_EQ(gettid(), tid);
  CHECK_EQ(syscall(SYS_gettid), tid);
  CHECK(pthread_equal(self, pthread_self()));
  CHECK_OK(tgkill(getpid(), tid, 0));
  CHECK_OK(tgkill(getpid(), tids[((intptr_t)argument + 1) % THREADS], 0));
  pthread_barrier_wait(&all);
  return (void*)(intptr_t)tid;
}

static int by_value(const void* a, const void* b) { return *(const pid_t*)a - *(const pid_t*)b; }

int main(void) {
  CHECK_EQ(gettid(), getpid());
  CHECK_OK(pthread_barrier_init(&all, NULL, THREADS));
  pthread_t threads[THREADS];
  for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(body, (void*)i);
  for (int i = 0; i < THREADS; i++) {
    for (int j = 0; j < i; j++) CHECK(!pthread_equal(threads[i], threads[j]));
  }
  for (int i = 0; i < THREADS; i++) CHECK_EQ((intptr_t)join(threads[i]), tids[i]);
  qsort(tids, THREADS, sizeof tids[0], by_value);
  for (int i = 1; i < THREADS; i++) CHECK(tids[i] != tids[i - 1]);
  CHECK_EQ(gettid(), getpid());
  printf("%d different ids\n", THREADS);
}
