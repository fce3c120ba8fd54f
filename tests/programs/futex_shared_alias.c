// A non-private futex is known by the page behind it: a wake through another mapping of the same
// memory finds the waiter; private ones are known by their address.
#include "futex.h"

#include <sys/mman.h>

static void* waiter(void* word) {
  CHECK_EQ(futex(word, FUTEX_WAIT, 0, NULL, NULL, 0), 0);
  return NULL;
}

static void* private_waiter(void* word) {
  CHECK_EQ(futex_wait(word, 0), 0);
  return NULL;
}

int main(void) {
  int memory = memfd_create("alias", 0);
  CHECK_OK(ftruncate(memory, 4096));
  uint32_t* one = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  uint32_t* two = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  CHECK(one != MAP_FAILED && two != MAP_FAILED && one != two);
  for (int round = 0; round < 20; round++) {
    pthread_t thread = spawn(waiter, one);
    while (futex(two, FUTEX_WAKE, 1, NULL, NULL, 0) == 0) sleep_ms(1);
    join(thread);
    thread = spawn(private_waiter, one);
    sleep_ms(1);
    CHECK_EQ(futex_wake(two, 1), 0);
    futex_wake_exactly(one, 1);
    join(thread);
  }
  // Non-private words in private memory work too, between threads.
  static uint32_t plain;
  pthread_t thread = spawn(waiter, &plain);
  while (futex(&plain, FUTEX_WAKE, 1, NULL, NULL, 0) == 0) sleep_ms(1);
  join(thread);
  printf("woken through the other mapping\n");
}
