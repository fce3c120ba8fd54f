// A process is killed after its waiter was woken for a robust mutex and before it has taken it: the
// next waiter's turn.
#include "shared.h"

#include <signal.h>
#include <sys/wait.h>

enum { ROUNDS = 30 };

static pthread_mutex_t* mutex;
static int* begun;
static int taken;

static void* waits(void* unused) {
  __atomic_fetch_add(begun, 1, __ATOMIC_SEQ_CST);
  if (pthread_mutex_lock(mutex)) CHECK_OK(pthread_mutex_consistent(mutex));
  __atomic_store_n(&taken, 1, __ATOMIC_SEQ_CST);
  CHECK_OK(pthread_mutex_unlock(mutex));
  return unused;
}

static void one_round(void) {
  *begun = taken = 0;
  CHECK_OK(pthread_mutex_lock(mutex));
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    join(spawn(waits, NULL));
    pause();
  }
  AWAIT(__atomic_load_n(begun, __ATOMIC_SEQ_CST) == 1);
  sleep_ms(3);
  pthread_t next = spawn(waits, NULL);
  AWAIT(__atomic_load_n(begun, __ATOMIC_SEQ_CST) == 2);
  sleep_ms(3);
  CHECK_OK(pthread_mutex_unlock(mutex));
  CHECK_OK(kill(child, SIGKILL));
  CHECK_EQ(waitpid(child, NULL, 0), child);
  AWAIT(__atomic_load_n(&taken, __ATOMIC_SEQ_CST));
  join(next);
}

int main(void) {
  mutex = map_shared(-1, sizeof *mutex);
  begun = map_shared(-1, sizeof *begun);
  init_shared_mutex(mutex, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_NONE);
  for (int i = 0; i < ROUNDS; i++) one_round();
  puts("the next one's turn");
}
