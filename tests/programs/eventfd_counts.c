// eventfd between threads: values add up, semaphore mode gives ones, a full counter blocks writers.
#include "check.h"

#include <sys/eventfd.h>

enum { THREADS = 5, EACH = 500 };
static int event;
static long total;

static void* poster(void* unused) {
  for (uint64_t i = 1; i <= EACH; i++) CHECK_EQ(write(event, &i, sizeof i), sizeof i);
  return unused;
}

static void* taker(void* goal) {
  while (__atomic_load_n(&total, __ATOMIC_SEQ_CST) < (intptr_t)goal) {
    uint64_t value;
    CHECK_EQ(read(event, &value, sizeof value), sizeof value);
    CHECK(value > 0);
    __atomic_add_fetch(&total, (long)value, __ATOMIC_SEQ_CST);
  }
  return NULL;
}

static void* take_one(void* unused) {
  uint64_t value;
  for (int i = 0; i < EACH; i++) {
    CHECK_EQ(read(event, &value, sizeof value), sizeof value);
    CHECK_EQ(value, 1);
  }
  return unused;
}

static void* fill(void* unused) {
  CHECK_OK(eventfd_write(event, UINT64_MAX - 1));
  CHECK_OK(eventfd_write(event, 5));  // Blocks until it is read.
  return unused;
}

int main(void) {
  event = eventfd(0, 0);
  pthread_t threads[THREADS + 1];
  intptr_t goal = (intptr_t)THREADS * EACH * (EACH + 1) / 2;
  threads[THREADS] = spawn(taker, (void*)goal);
  for (int i = 0; i < THREADS; i++) threads[i] = spawn(poster, NULL);
  for (int i = 0; i <= THREADS; i++) join(threads[i]);
  CHECK_EQ(total, goal);

  event = eventfd(0, EFD_SEMAPHORE);
  for (int i = 0; i < THREADS; i++) threads[i] = spawn(take_one, NULL);
  for (int i = 0; i < EACH; i++) CHECK_OK(eventfd_write(event, THREADS));
  for (int i = 0; i < THREADS; i++) join(threads[i]);

  event = eventfd(0, 0);
  pthread_t filler = spawn(fill, NULL);
  eventfd_t value;
  sleep_ms(5);
  CHECK_OK(eventfd_read(event, &value));
  CHECK_EQ(value, UINT64_MAX - 1);
  join(filler);
  CHECK_OK(eventfd_read(event, &value));
  CHECK_EQ(value, 5);
  uint64_t small = 1;
  CHECK_ERRNO(read(event, &small, 4), EINVAL);
  printf("sum %ld\n", total);
}
