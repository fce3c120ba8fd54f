// Threads of this process and of one that runs without the library contend for priority-inheritance
// mutexes; a thread of each ends, and the other process is killed, with a robust one held.
#include "shared.h"

#include <signal.h>
#include <sys/wait.h>

enum { THREADS = 3, ROUNDS = 300 };

static struct {
  pthread_mutex_t mutex, robust[2];
  int inside, taken, held[2];
} * shared;

static void* contend(void* unused) {
  for (int i = 0; i < ROUNDS; i++) {
    CHECK_OK(pthread_mutex_lock(&shared->mutex));
    CHECK_EQ(shared->inside++, 0);
    shared->taken++;
    if (i % 16 == 0) usleep(200);
    shared->inside--;
    CHECK_OK(pthread_mutex_unlock(&shared->mutex));
  }
  return unused;
}

// Ends while the other process waits, or is killed.
static void* keeps(void* side) {
  CHECK_OK(pthread_mutex_lock(&shared->robust[(intptr_t)side]));
  __atomic_store_n(&shared->held[(intptr_t)side], 1, __ATOMIC_SEQ_CST);
  usleep(20000);
  for (; side; pause()) {
  }
  return side;
}

static void* inherits(void* side) {
  AWAIT(__atomic_load_n(&shared->held[(intptr_t)side], __ATOMIC_SEQ_CST));
  CHECK_EQ(pthread_mutex_lock(&shared->robust[(intptr_t)side]), EOWNERDEAD);
  CHECK_OK(pthread_mutex_consistent(&shared->robust[(intptr_t)side]));
  CHECK_OK(pthread_mutex_unlock(&shared->robust[(intptr_t)side]));
  return NULL;
}

static void run(void) {
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) threads[i] = spawn(contend, NULL);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
}

int main(int argc, char** argv) {
  int fd;
  shared = map_shared_with_native(argc, argv, sizeof *shared, &fd);
  if (argc > 1) {
    run();
    inherits((void*)0);
    join(spawn(keeps, (void*)1));
  }
  init_shared_mutex(&shared->mutex, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED,
                    PTHREAD_PRIO_INHERIT);
  for (int i = 0; i < 2; i++)
    init_shared_mutex(&shared->robust[i], PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST,
                      PTHREAD_PRIO_INHERIT);
  pid_t child = start_native(argv, fd);
  run();
  join(spawn(keeps, (void*)0));
  pthread_t heir = spawn(inherits, (void*)1);
  AWAIT(__atomic_load_n(&shared->held[1], __ATOMIC_SEQ_CST));
  usleep(5000);
  CHECK_OK(kill(child, SIGKILL));
  join(heir);
  CHECK_EQ(waitpid(child, NULL, 0), child);
  CHECK_EQ(shared->taken, 2 * THREADS * ROUNDS);
  puts("shared with a native process");
}
