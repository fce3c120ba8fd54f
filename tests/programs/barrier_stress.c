// Barriers: one serial thread per round, nobody passes early, destroyed right after the last round.
#include "check.h"

enum { THREADS = 7 };
static pthread_barrier_t barrier;
static int rounds, arrived, serials;

static void* body(void* unused) {
  for (int i = 0; i < rounds; i++) {
    __atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST);
    int result = pthread_barrier_wait(&barrier);
    CHECK(result == 0 || result == PTHREAD_BARRIER_SERIAL_THREAD);
    CHECK(__atomic_load_n(&arrived, __ATOMIC_SEQ_CST) >= (i + 1) * THREADS);
    if (result) __atomic_add_fetch(&serials, 1, __ATOMIC_SEQ_CST);
  }
  return unused;
}

static void* once(void* own) {
  if (pthread_barrier_wait(own) == PTHREAD_BARRIER_SERIAL_THREAD) {
    CHECK_OK(pthread_barrier_destroy(own));  // Waits for the others to leave it.
    memset(own, 0xff, sizeof(pthread_barrier_t));
  }
  return NULL;
}

int main(int argc, char** argv) {
  rounds = arg_or(argc, argv, 1, 1000);
  CHECK_EQ(pthread_barrier_init(&barrier, NULL, 0), EINVAL);
  CHECK_OK(pthread_barrier_init(&barrier, NULL, THREADS));
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) threads[i] = spawn(body, NULL);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  CHECK_EQ(serials, rounds);
  CHECK_EQ(arrived, rounds * THREADS);
  CHECK_OK(pthread_barrier_destroy(&barrier));
  for (int i = 0; i < 100; i++) {
    pthread_barrier_t* own = malloc(sizeof *own);
    CHECK_OK(pthread_barrier_init(own, NULL, THREADS));
    for (int t = 0; t < THREADS; t++) threads[t] = spawn(once, own);
    for (int t = 0; t < THREADS; t++) join(threads[t]);
    free(own);
  }
  printf("%d rounds\n", serials);
}
