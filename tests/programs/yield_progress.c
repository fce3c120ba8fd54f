// Threads that wait by sched_yield alone let each other go on, turn by turn, with any number of
// CPUs.
#include "check.h"

#include <sched.h>

enum { THREADS = 6 };
static int rounds, turn;

static void* body(void* argument) {
  int mine = (int)(intptr_t)argument;
  for (int i = 0; i < rounds; i++) {
    while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) % THREADS != mine) CHECK_OK(sched_yield());
    __atomic_store_n(&turn, turn + 1, __ATOMIC_RELEASE);
  }
  return NULL;
}

int main(int argc, char** argv) {
  rounds = arg_or(argc, argv, 1, 500);
  pthread_t threads[THREADS];
  for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(body, (void*)i);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  CHECK_EQ(turn, THREADS * rounds);
  printf("%d turns\n", turn);
}
