// Threads of both contention scopes share a mutex, a condition, a semaphore, a pipe, a barrier and
// join; every token that goes round a ring of them arrives. PTHREAD_SCOPE_PROCESS may be refused.
#include "check.h"

#include <semaphore.h>

enum { THREADS = 6, LAPS = 2000 };
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t begin;
static int turn, pipes[THREADS][2];
static long sum;
static sem_t sems[THREADS];

static void* body(void* number) {
  const int me = (int)(long)number, next = (me + 1) % THREADS;
  pthread_barrier_wait(&begin);
  for (int lap = 0; lap < LAPS; lap++) {
    CHECK_OK(pthread_mutex_lock(&mutex));
    while (turn != me) CHECK_OK(pthread_cond_wait(&turned, &mutex));
    turn = next;
    sum += me;
    CHECK_OK(pthread_cond_broadcast(&turned));
    CHECK_OK(pthread_mutex_unlock(&mutex));
    CHECK_OK(sem_wait(&sems[me]));
    CHECK_OK(sem_post(&sems[next]));
    char byte;
    CHECK_EQ(read(pipes[me][0], &byte, 1), 1);
    CHECK_EQ(write(pipes[next][1], &byte, 1), 1);
  }
  return number;
}

int main(void) {
  pthread_t threads[THREADS];
  CHECK_OK(pthread_barrier_init(&begin, NULL, THREADS));
  for (int i = 0; i < THREADS; i++) {
    CHECK_OK(pipe(pipes[i]));
    CHECK_OK(sem_init(&sems[i], 0, i == 0));
  }
  CHECK_EQ(write(pipes[0][1], "t", 1), 1);
  for (long i = 0; i < THREADS; i++) {
    pthread_attr_t attr;
    CHECK_OK(pthread_attr_init(&attr));
    const int asked = i % 2 ? PTHREAD_SCOPE_PROCESS : PTHREAD_SCOPE_SYSTEM;
    const int refused = pthread_attr_setscope(&attr, asked);
    CHECK(!refused || (refused == ENOTSUP && asked == PTHREAD_SCOPE_PROCESS));
    CHECK_OK(pthread_create(&threads[i], &attr, body, (void*)i));
    CHECK_OK(pthread_attr_destroy(&attr));
  }
  for (long i = 0; i < THREADS; i++) CHECK_EQ((long)join(threads[i]), i);
  printf("%ld\n", sum);
}
