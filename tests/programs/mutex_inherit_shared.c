// Priority-inheritance mutexes in memory that processes share: contended by the threads of several
// processes, with time-outs, wrong unlocks, and owners that end with their thread.
#include "shared.h"

enum { PROCESSES = 3, THREADS = 4, ROUNDS = 300 };

static struct {
  pthread_mutex_t plain, checked, robust;
  int inside, taken, deaths, held;
} * shared;

static void* contend(void* unused) {
  for (int i = 0; i < ROUNDS; i++) {
    CHECK_OK(pthread_mutex_lock(&shared->plain));
    CHECK_EQ(shared->inside++, 0);
    shared->taken++;
    if (i % 8 == 0) sched_yield();
    if (i % 64 == 0) usleep(100);
    shared->inside--;
    CHECK_OK(pthread_mutex_unlock(&shared->plain));
  }
  return unused;
}

static void* while_held(void* unused) {
  struct timespec end = after_ms(CLOCK_REALTIME, 10);
  CHECK_EQ(pthread_mutex_timedlock(&shared->checked, &end), ETIMEDOUT);
  end = after_ms(CLOCK_MONOTONIC, 10);
  CHECK_EQ(pthread_mutex_clocklock(&shared->checked, CLOCK_MONOTONIC, &end), ETIMEDOUT);
  CHECK_EQ(pthread_mutex_trylock(&shared->checked), EBUSY);
  CHECK_EQ(pthread_mutex_unlock(&shared->checked), EPERM);
  return unused;
}

// Ends with the mutex held, again and again.
static void* dies(void* unused) {
  int r = pthread_mutex_lock(&shared->robust);
  if (r == EOWNERDEAD) {
    shared->deaths++;
    CHECK_OK(pthread_mutex_consistent(&shared->robust));
  } else {
    CHECK_OK(r);
  }
  shared->held++;
  usleep(500);
  return unused;
}

static void run(void) {
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) threads[i] = spawn(contend, NULL);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  for (int i = 0; i < THREADS; i++) threads[i] = spawn(dies, NULL);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
}

int main(void) {
  shared = map_shared(-1, sizeof *shared);
  init_shared_mutex(&shared->plain, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED,
                    PTHREAD_PRIO_INHERIT);
  init_shared_mutex(&shared->checked, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_STALLED,
                    PTHREAD_PRIO_INHERIT);
  init_shared_mutex(&shared->robust, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST,
                    PTHREAD_PRIO_INHERIT);
  pid_t children[PROCESSES];
  for (int i = 0; i < PROCESSES; i++) {
    children[i] = fork();
    CHECK(children[i] >= 0);
    if (children[i] == 0) {
      run();
      _exit(7);
    }
  }
  run();
  join_children(children, PROCESSES);
  CHECK_EQ(shared->taken, (PROCESSES + 1) * THREADS * ROUNDS);
  CHECK_EQ(shared->held, (PROCESSES + 1) * THREADS);
  CHECK_EQ(shared->deaths, shared->held - 1);
  CHECK_OK(pthread_mutex_lock(&shared->checked));
  CHECK_EQ(pthread_mutex_lock(&shared->checked), EDEADLK);
  join(spawn(while_held, NULL));
  CHECK_OK(pthread_mutex_unlock(&shared->checked));
  printf("%d taken, %d deaths\n", shared->taken, shared->deaths);
}
