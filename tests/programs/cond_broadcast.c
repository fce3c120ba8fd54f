// Broadcast frees all waiters, signal at least one and no token is taken twice; both in rounds.
#include "check.h"

enum { THREADS = 20, ROUNDS = 100 };
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t go = PTHREAD_COND_INITIALIZER, idle = PTHREAD_COND_INITIALIZER;
static int generation, waiting, tokens;

static void* body(void* unused) {
  CHECK_OK(pthread_mutex_lock(&mutex));
  for (int seen = 0; seen < ROUNDS; seen++) {
    if (++waiting == THREADS) CHECK_OK(pthread_cond_signal(&idle));
    while (generation == seen) CHECK_OK(pthread_cond_wait(&go, &mutex));
    CHECK_EQ(generation, seen + 1);
  }
  waiting++;
  if (waiting == THREADS) CHECK_OK(pthread_cond_signal(&idle));
  while (tokens == 0) CHECK_OK(pthread_cond_wait(&go, &mutex));
  tokens--;
  CHECK_OK(pthread_mutex_unlock(&mutex));
  return unused;
}

int main(void) {
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) threads[i] = spawn(body, NULL);
  CHECK_OK(pthread_mutex_lock(&mutex));
  for (int round = 0; round <= ROUNDS; round++) {
    while (waiting < THREADS) CHECK_OK(pthread_cond_wait(&idle, &mutex));
    waiting = 0;
    if (round == ROUNDS) break;
    generation++;
    CHECK_OK(pthread_cond_broadcast(&go));
  }
  for (int i = 0; i < THREADS; i++) {
    tokens++;
    CHECK_OK(pthread_cond_signal(&go));
    if (i % 3 == 0) {
      CHECK_OK(pthread_mutex_unlock(&mutex));
      sched_yield();
      CHECK_OK(pthread_mutex_lock(&mutex));
    }
  }
  CHECK_OK(pthread_mutex_unlock(&mutex));
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  CHECK_EQ(tokens, 0);
  CHECK_OK(pthread_cond_destroy(&go));
  printf("%d rounds of %d\n", generation, THREADS);
}
