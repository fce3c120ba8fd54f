// Many threads are cancelled at every stage of their life: starting, computing, blocking, ending.
// Each either ends by itself or as cancelled, and its handler runs exactly in the second case.
#include "check.h"

static int cleaned;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void clean(void* unused) {
  (void)unused;
  __atomic_add_fetch(&cleaned, 1, __ATOMIC_SEQ_CST);
}

static void* body(void* argument) {
  pthread_cleanup_push(clean, NULL);
  for (int i = 0; i < 10; i++) {
    CHECK_OK(pthread_mutex_lock(&mutex));
    CHECK_OK(pthread_mutex_unlock(&mutex));
    pthread_testcancel();
    usleep((intptr_t)argument % 4 * 50);
  }
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
  pthread_cleanup_pop(0);
  return argument;
}

int main(int argc, char** argv) {
  enum { WAVE = 50 };
  int waves = arg_or(argc, argv, 1, 20), cancelled = 0;
  for (int w = 0; w < waves; w++) {
    pthread_t threads[WAVE];
    for (intptr_t i = 0; i < WAVE; i++) {
      threads[i] = spawn(body, (void*)i);
      if (i % 2) CHECK_OK(pthread_cancel(threads[i]));
    }
    for (int i = 0; i < WAVE; i += 2) CHECK_OK(pthread_cancel(threads[i]));
    for (intptr_t i = 0; i < WAVE; i++) {
      void* result = join(threads[i]);
      CHECK(result == PTHREAD_CANCELED || result == (void*)i);
      cancelled += result == PTHREAD_CANCELED;
    }
  }
  CHECK(cancelled > 0);
  CHECK_EQ(cleaned, cancelled);
  printf("%d threads\n", waves * WAVE);
}
