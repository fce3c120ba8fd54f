// pthread_detach races with the thread's own end, from outside and from within.
#include "check.h"

static int ended;

static void* body(void* argument) {
  if (argument) CHECK_OK(pthread_detach(pthread_self()));
  __atomic_add_fetch(&ended, 1, __ATOMIC_SEQ_CST);
  return NULL;
}

int main(int argc, char** argv) {
  int rounds = arg_or(argc, argv, 1, 5000);
  for (int i = 0; i < rounds; i++) {
    pthread_t thread = spawn(body, (void*)(intptr_t)(i % 3 == 0));
    if (i % 3 == 1) CHECK_OK(pthread_detach(thread));
    if (i % 3 == 2) {
      sched_yield();
      CHECK_OK(pthread_detach(thread));
    }
  }
  AWAIT(__atomic_load_n(&ended, __ATOMIC_SEQ_CST) == rounds);
  printf("%d detached\n", rounds);
}
