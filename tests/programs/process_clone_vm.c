// A process that shares this one's memory, and is no thread of it, as leak checkers make: each
// wakes the other by a private futex, while other threads of the program wait and wake as ever.
#include "check.h"
#include "futex.h"

#include <sched.h>
#include <sys/wait.h>

enum { ROUNDS = 100 };
static uint32_t to_child, to_parent;
static volatile int stop;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char stack[65536] __attribute__((aligned(16)));

static void wait_for(uint32_t* word, uint32_t value) {
  uint32_t seen;
  while ((seen = __atomic_load_n(word, __ATOMIC_ACQUIRE)) < value) futex_wait(word, seen);
}

static void tell(uint32_t* word, uint32_t value) {
  __atomic_store_n(word, value, __ATOMIC_RELEASE);
  futex_wake(word, 1);
}

static int child(void* unused) {
  for (uint32_t i = 1; i <= ROUNDS; i++) {
    wait_for(&to_child, i);
    tell(&to_parent, i);
  }
  return 7;
}

static void* busy(void* unused) {
  while (!stop) {
    CHECK_OK(pthread_mutex_lock(&lock));
    sched_yield();
    CHECK_OK(pthread_mutex_unlock(&lock));
  }
  return NULL;
}

int main(void) {
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) threads[i] = spawn(busy, NULL);
  const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | SIGCHLD;
  const int pid = clone(child, stack + sizeof stack, flags, NULL);
  CHECK(pid > 0);
  for (uint32_t i = 1; i <= ROUNDS; i++) {
    if (i % 10 == 0) sleep_ms(5);  // the child surely waits
    tell(&to_child, i);
    wait_for(&to_parent, i);
  }
  int status;
  CHECK_EQ(waitpid(pid, &status, 0), pid);
  CHECK_EQ(status, 7 << 8);
  stop = 1;
  for (int i = 0; i < 4; i++) join(threads[i]);
  puts("ok");
  return 0;
}
