// Cancelling a thread in pthread_join leaves its target joinable by another.
#include "check.h"

static int fds[2];

static void* target(void* unused) {
  (void)unused;
  char byte;
  CHECK_EQ(read(fds[0], &byte, 1), 1);
  return (void*)(intptr_t)byte;
}

static void* joiner(void* thread) {
  pthread_join(*(pthread_t*)thread, NULL);
  CHECK(!"joined");
  return NULL;
}

int main(void) {
  CHECK_OK(pipe(fds));
  for (int round = 0; round < 20; round++) {
    pthread_t thread = spawn(target, NULL), waiter = spawn(joiner, &thread);
    sleep_ms(round % 3);
    CHECK_OK(pthread_cancel(waiter));
    CHECK(join(waiter) == PTHREAD_CANCELED);
    CHECK_EQ(write(fds[1], "z", 1), 1);
    CHECK_EQ((intptr_t)join(thread), 'z');
  }
  printf("20 targets joined\n");
}
