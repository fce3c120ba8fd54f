// Threads that do nothing but short system calls let others have their turn.
#include "check.h"

#include <sched.h>
#include <sys/syscall.h>

static volatile int stop, turns;

static void* caller(void* argument) {
  while (!stop) syscall(SYS_close, -1);
  return argument;
}

static void* counter(void* argument) {
  while (!stop) {
    __atomic_add_fetch(&turns, 1, __ATOMIC_SEQ_CST);
    sched_yield();
  }
  return argument;
}

int main(void) {
  pthread_t threads[9];
  for (int i = 0; i < 8; i++) threads[i] = spawn(caller, NULL);
  threads[8] = spawn(counter, NULL);
  // Eight callers, 10 ms each, and a second in the queue: some ten rounds natively and here.
  int64_t begin = now_ns(CLOCK_MONOTONIC);
  while (turns < 3) {
    CHECK(now_ns(CLOCK_MONOTONIC) - begin < 5 * SECOND);
    sched_yield();
  }
  stop = 1;
  for (int i = 0; i < 9; i++) join(threads[i]);
  puts("everybody had a turn");
}
