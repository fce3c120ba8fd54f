// A waiter cancelled while others are signalled: it owns the mutex in its handler, and no signal
// that another waiter needs is lost with it.
#include "check.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int waiting, tokens, taken, cancelled, guarded;

static void on_cancel(void* unused) {
  (void)unused;
  int before = guarded++;
  sched_yield();
  CHECK_EQ(guarded, before + 1);  // Nobody else holds the mutex.
  waiting--;
  cancelled++;
  pthread_cond_signal(&cond);  // It may have eaten a signal.
  CHECK_OK(pthread_mutex_unlock(&mutex));
}

static void* waiter(void* unused) {
  CHECK_OK(pthread_mutex_lock(&mutex));
  waiting++;
  pthread_cleanup_push(on_cancel, NULL);
  while (tokens == 0) CHECK_OK(pthread_cond_wait(&cond, &mutex));
  pthread_cleanup_pop(0);
  tokens--;
  taken++;
  waiting--;
  CHECK_OK(pthread_mutex_unlock(&mutex));
  return unused;
}

int main(int argc, char** argv) {
  int rounds = arg_or(argc, argv, 1, 200), joined_cancelled = 0;
  enum { THREADS = 6 };
  for (int round = 0; round < rounds; round++) {
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) threads[i] = spawn(waiter, NULL);
    CHECK_OK(pthread_mutex_lock(&mutex));
    tokens += THREADS / 2;
    for (int i = 0; i < THREADS / 2; i++) CHECK_OK(pthread_cond_signal(&cond));
    CHECK_OK(pthread_mutex_unlock(&mutex));
    for (int i = 0; i < THREADS / 2; i++) CHECK_OK(pthread_cancel(threads[i * 2]));
    CHECK_OK(pthread_mutex_lock(&mutex));
    tokens += THREADS;
    CHECK_OK(pthread_cond_broadcast(&cond));
    CHECK_OK(pthread_mutex_unlock(&mutex));
    for (int i = 0; i < THREADS; i++) joined_cancelled += join(threads[i]) == PTHREAD_CANCELED;
    CHECK_EQ(waiting, 0);
    tokens = 0;
  }
  // The wait is the only cancellation point, so each that was cancelled went through its handler.
  CHECK_EQ(taken + joined_cancelled, rounds * THREADS);
  CHECK_EQ(cancelled, joined_cancelled);
  printf("%d waiters\n", rounds * THREADS);
}
