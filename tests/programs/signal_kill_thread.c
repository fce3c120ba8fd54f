// pthread_kill runs the handler on the very thread, whether it blocks, computes or yields; each
// signal to another thread arrives once there.
#include "check.h"

#include <signal.h>

enum { THREADS = 12 };
static __thread int mine;
static int wrong, total, stop;
static pthread_t threads[THREADS];
static __thread int own_index = -1;

static void handler(int number, siginfo_t* info, void* context) {
  (void)context;
  if (number != SIGUSR1 || info->si_pid != getpid() || own_index < 0 ||
      !pthread_equal(threads[own_index], pthread_self())) {
    __atomic_add_fetch(&wrong, 1, __ATOMIC_SEQ_CST);
  }
  __atomic_store_n(&mine, mine + 1, __ATOMIC_SEQ_CST);
  __atomic_add_fetch(&total, 1, __ATOMIC_SEQ_CST);
}

static int ready;
static void* body(void* argument) {
  intptr_t index = (intptr_t)argument;
  AWAIT(__atomic_load_n(&ready, __ATOMIC_SEQ_CST));
  own_index = (int)index;
  __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
  while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
    if (index % 4 == 0) usleep(2000);
    if (index % 4 == 1) sched_yield();
    if (index % 4 == 2) {
      char byte;
      struct timespec t = to_timespec(5 * MS);
      nanosleep(&t, NULL);
      CHECK_ERRNO(read(-1, &byte, 1), EBADF);
    }
    if (index % 4 == 3) {
      for (volatile int i = 0; i < 10000; i++) {
      }
    }
  }
  return (void*)(intptr_t)mine;
}

int main(int argc, char** argv) {
  int rounds = arg_or(argc, argv, 1, 50);
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
  CHECK_OK(sigaction(SIGUSR1, &action, NULL));
  for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(body, (void*)i);
  __atomic_store_n(&ready, 1, __ATOMIC_SEQ_CST);
  AWAIT(__atomic_load_n(&ready, __ATOMIC_SEQ_CST) == THREADS + 1);
  for (int round = 1; round <= rounds; round++) {
    for (int i = 0; i < THREADS; i++) CHECK_OK(pthread_kill(threads[i], SIGUSR1));
    AWAIT(__atomic_load_n(&total, __ATOMIC_SEQ_CST) == round * THREADS);
  }
  CHECK_OK(pthread_kill(threads[0], 0));
  CHECK_EQ(pthread_kill(threads[0], 1000), EINVAL);
  __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
  for (int i = 0; i < THREADS; i++) CHECK_EQ((intptr_t)join(threads[i]), rounds);
  CHECK_EQ(wrong, 0);
  printf("%d handled\n", total);
}
