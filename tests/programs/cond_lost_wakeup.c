// Producers and consumers on one condition each, signal outside and inside the mutex, timed and
// untimed waiters mixed: every item is consumed once, and all threads end.
#include "check.h"

enum { PRODUCERS = 4, CONSUMERS = 4, ROOM = 3 };
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t some = PTHREAD_COND_INITIALIZER, room = PTHREAD_COND_INITIALIZER;
static int each, items, produced;
static long sum;

static void* producer(void* unused) {
  for (int i = 0; i < each; i++) {
    CHECK_OK(pthread_mutex_lock(&mutex));
    while (items == ROOM) CHECK_OK(pthread_cond_wait(&room, &mutex));
    items++;
    produced++;
    CHECK_OK(pthread_mutex_unlock(&mutex));
    CHECK_OK(pthread_cond_signal(&some));
  }
  return unused;
}

static void* consumer(void* timed) {
  int take = each * PRODUCERS / CONSUMERS;
  for (int i = 0; i < take; i++) {
    CHECK_OK(pthread_mutex_lock(&mutex));
    while (items == 0) {
      struct timespec soon = after_ms(CLOCK_REALTIME, 1);
      int result =
          timed ? pthread_cond_timedwait(&some, &mutex, &soon) : pthread_cond_wait(&some, &mutex);
      CHECK(result == 0 || (timed && result == ETIMEDOUT));
      // A timed waiter that gives up may have been the one signalled: pass it on.
      if (result == ETIMEDOUT && items > 0) CHECK_OK(pthread_cond_signal(&some));
    }
    items--;
    sum++;
    CHECK_OK(pthread_cond_signal(&room));
    CHECK_OK(pthread_mutex_unlock(&mutex));
  }
  return NULL;
}

int main(int argc, char** argv) {
  each = arg_or(argc, argv, 1, 5000);
  pthread_t threads[PRODUCERS + CONSUMERS];
  for (intptr_t i = 0; i < CONSUMERS; i++) threads[i] = spawn(consumer, (void*)(i % 2));
  for (int i = 0; i < PRODUCERS; i++) threads[CONSUMERS + i] = spawn(producer, NULL);
  for (int i = 0; i < PRODUCERS + CONSUMERS; i++) join(threads[i]);
  CHECK_EQ(items, 0);
  CHECK_EQ(sum, produced);
  printf("%ld items\n", sum);
}
