// A ring of threads passes a token by semaphores: exactly one runs at a time, in ring order.
#include "check.h"

#include <semaphore.h>

enum { THREADS = 10 };
static sem_t turn[THREADS];
static int rounds, step;

static void* body(void* argument) {
  int mine = (int)(intptr_t)argument;
  for (int i = 0; i < rounds; i++) {
    CHECK_OK(sem_wait(&turn[mine]));
    CHECK_EQ(step, i * THREADS + mine);
    step++;
    CHECK_OK(sem_post(&turn[(mine + 1) % THREADS]));
  }
  return NULL;
}

int main(int argc, char** argv) {
  rounds = arg_or(argc, argv, 1, 2000);
  pthread_t threads[THREADS];
  for (intptr_t i = 0; i < THREADS; i++) {
    CHECK_OK(sem_init(&turn[i], 0, 0));
    threads[i] = spawn(body, (void*)i);
  }
  CHECK_OK(sem_post(&turn[0]));
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  CHECK_EQ(step, rounds * THREADS);
  printf("%d steps\n", step);
}
