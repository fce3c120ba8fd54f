// Threads of this process and of one that runs without the library share a mutex of each type, a
// condition, a semaphore, a barrier and a read-write lock; the other's death leaves a robust mutex.
#include "shared.h"

#include <semaphore.h>
#include <signal.h>
#include <sys/wait.h>

enum { THREADS = 3, ROUNDS = 150, TYPES = 3 };

static struct {
  pthread_mutex_t mutex[TYPES], robust;
  pthread_cond_t changed;
  sem_t sem[2];
  pthread_barrier_t barrier;
  pthread_rwlock_t rwlock;
  int turn, counter[TYPES], read, held;
} * shared;

static void init(void) {
  const int types[TYPES] = {PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_RECURSIVE,
                            PTHREAD_MUTEX_ERRORCHECK};
  for (int i = 0; i < TYPES; i++)
    init_shared_mutex(&shared->mutex[i], types[i], PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE);
  init_shared_mutex(&shared->robust, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_NONE);
  pthread_condattr_t cond;
  CHECK_OK(pthread_condattr_init(&cond));
  CHECK_OK(pthread_condattr_setpshared(&cond, PTHREAD_PROCESS_SHARED));
  CHECK_OK(pthread_cond_init(&shared->changed, &cond));
  for (int i = 0; i < 2; i++) CHECK_OK(sem_init(&shared->sem[i], 1, 0));
  pthread_barrierattr_t barrier;
  CHECK_OK(pthread_barrierattr_init(&barrier));
  CHECK_OK(pthread_barrierattr_setpshared(&barrier, PTHREAD_PROCESS_SHARED));
  CHECK_OK(pthread_barrier_init(&shared->barrier, &barrier, 2 * THREADS));
  pthread_rwlockattr_t rwlock;
  CHECK_OK(pthread_rwlockattr_init(&rwlock));
  CHECK_OK(pthread_rwlockattr_setpshared(&rwlock, PTHREAD_PROCESS_SHARED));
  CHECK_OK(pthread_rwlock_init(&shared->rwlock, &rwlock));
}

static void* body(void* side) {
  const intptr_t mine = (intptr_t)side;
  for (int i = 0; i < ROUNDS; i++) {
    for (int type = 0; type < TYPES; type++) {
      CHECK_OK(pthread_mutex_lock(&shared->mutex[type]));
      shared->counter[type]++;
      CHECK_OK(pthread_mutex_unlock(&shared->mutex[type]));
    }
    CHECK_OK(pthread_mutex_lock(&shared->mutex[0]));
    while (shared->turn != mine) CHECK_OK(pthread_cond_wait(&shared->changed, &shared->mutex[0]));
    shared->turn = !mine;
    CHECK_OK(pthread_cond_broadcast(&shared->changed));
    CHECK_OK(pthread_mutex_unlock(&shared->mutex[0]));
    CHECK_OK(sem_post(&shared->sem[!mine]));
    CHECK_OK(sem_wait(&shared->sem[mine]));
    if (i % 3) {
      CHECK_OK(pthread_rwlock_rdlock(&shared->rwlock));
    } else {
      CHECK_OK(pthread_rwlock_wrlock(&shared->rwlock));
      shared->read++;
    }
    CHECK_OK(pthread_rwlock_unlock(&shared->rwlock));
    if (i % 10 == 0) {
      int r = pthread_barrier_wait(&shared->barrier);
      CHECK(r == 0 || r == PTHREAD_BARRIER_SERIAL_THREAD);
    }
  }
  return NULL;
}

static void* keeps(void* unused) {
  CHECK_OK(pthread_mutex_lock(&shared->robust));
  __atomic_store_n(&shared->held, 1, __ATOMIC_SEQ_CST);
  sleep(100);
  return unused;
}

static void run(intptr_t side) {
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) threads[i] = spawn(body, (void*)side);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
}

int main(int argc, char** argv) {
  int fd;
  shared = map_shared_with_native(argc, argv, sizeof *shared, &fd);
  if (argc > 1) {
    run(1);
    join(spawn(keeps, NULL));
  }
  init();
  pid_t child = start_native(argv, fd);
  run(0);
  AWAIT(__atomic_load_n(&shared->held, __ATOMIC_SEQ_CST));
  CHECK_OK(kill(child, SIGKILL));
  CHECK_EQ(pthread_mutex_lock(&shared->robust), EOWNERDEAD);
  CHECK_EQ(waitpid(child, NULL, 0), child);
  for (int i = 0; i < TYPES; i++) CHECK_EQ(shared->counter[i], 2 * THREADS * ROUNDS);
  CHECK_EQ(shared->read, 2 * THREADS * ((ROUNDS + 2) / 3));
  puts("shared with a native process");
}
