// Computing loops without any call, more of them than CPUs, do not keep others from sleeping, doing
// I/O and ending; and they end themselves once they are told.
#include "check.h"

enum { HOGS = 10 };
static int stop, fds[2], running;

static void* hog(void* unused) {
  __atomic_add_fetch(&running, 1, __ATOMIC_SEQ_CST);
  uint64_t sum = 0;
  double x = 1.5;
  while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
    for (int i = 0; i < 1000; i++) sum = sum * 31 + (uint64_t)i, x = x * 1.0000001 + 0.5 / x;
  }
  CHECK(x > 1.0);
  *(uint64_t*)unused = sum;
  return NULL;
}

static void* worker(void* unused) {
  for (int i = 0; i < 5; i++) {
    char byte;
    sleep_ms(1);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK_EQ(read(fds[0], &byte, 1), 1);
    CHECK_EQ(byte, 'x');
  }
  return unused;
}

int main(void) {
  CHECK_OK(pipe(fds));
  pthread_t hogs[HOGS], workers[3];
  uint64_t sums[HOGS];
  for (int i = 0; i < HOGS; i++) hogs[i] = spawn(hog, &sums[i]);
  AWAIT(__atomic_load_n(&running, __ATOMIC_SEQ_CST) == HOGS);
  int64_t start = now_ns(CLOCK_MONOTONIC);
  for (int i = 0; i < 3; i++) workers[i] = spawn(worker, NULL);
  for (int i = 0; i < 3; i++) join(workers[i]);
  CHECK(now_ns(CLOCK_MONOTONIC) - start < 15 * SECOND);
  __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
  for (int i = 0; i < HOGS; i++) join(hogs[i]);
  printf("%d hogs\n", HOGS);
}
