// A process is killed while its threads hold robust mutexes in shared memory, parked or computing,
// one of them priority-inheriting and one with waiters in two processes: whoever locks one next is
// told so. The same after exit.
#include "shared.h"

#include <signal.h>
#include <sys/wait.h>

enum { MUTEXES = 4, ROUNDS = 10 };

static struct {
  pthread_mutex_t mutex[MUTEXES];
  int held;
} * shared;

static void* holder(void* mutex) {
  CHECK_OK(pthread_mutex_lock(mutex));
  __atomic_fetch_add(&shared->held, 1, __ATOMIC_SEQ_CST);
  while (mutex == &shared->mutex[1]) {
  }
  for (;;) pause();
}

static void* waiter(void* mutex) {
  CHECK_EQ(pthread_mutex_lock(mutex), EOWNERDEAD);
  CHECK_OK(pthread_mutex_consistent(mutex));
  CHECK_OK(pthread_mutex_unlock(mutex));
  return NULL;
}

static void run_child(int exits) {
  pthread_t last = spawn(holder, &shared->mutex[MUTEXES - 1]);
  for (int i = 0; i < MUTEXES - 1; i++) spawn(holder, &shared->mutex[i]);
  while (__atomic_load_n(&shared->held, __ATOMIC_SEQ_CST) < MUTEXES) sched_yield();
  if (exits) exit(0);
  join(last);
}

int main(void) {
  shared = map_shared(-1, sizeof *shared);
  for (int i = 0; i < MUTEXES; i++) {
    int protocol = i == 2 ? PTHREAD_PRIO_INHERIT : PTHREAD_PRIO_NONE;
    init_shared_mutex(&shared->mutex[i], PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, protocol);
  }
  for (int round = 0; round < ROUNDS; round++) {
    int exits = round % 2;
    shared->held = 0;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) run_child(exits);
    AWAIT(__atomic_load_n(&shared->held, __ATOMIC_SEQ_CST) == MUTEXES);
    pthread_t first = spawn(waiter, &shared->mutex[0]);
    sleep_ms(5);
    if (!exits) CHECK_OK(kill(child, SIGKILL));
    join(first);
    for (int i = 1; i < MUTEXES; i++) waiter(&shared->mutex[i]);
    CHECK_EQ(waitpid(child, NULL, 0), child);
    CHECK_ERRNO(waitpid(-1, NULL, 0), ECHILD);
  }
  printf("told of %d deaths\n", ROUNDS * MUTEXES);
}
