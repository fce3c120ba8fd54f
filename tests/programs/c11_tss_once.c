// C11's tss_* with destructors, _Thread_local, and call_once raced by many threads.
#include "check.h"

#include <threads.h>

enum { THREADS = 64 };
static tss_t key;
static once_flag flag = ONCE_FLAG_INIT;
static int initialised, destroyed;
static _Thread_local int own = 5;

static void init(void) {
  sleep_ms(5);
  initialised++;
}

static void destroy(void* value) {
  __atomic_add_fetch(&destroyed, (int)(intptr_t)value, __ATOMIC_SEQ_CST);
}

static int body(void* argument) {
  call_once(&flag, init);
  CHECK_EQ(initialised, 1);
  CHECK(tss_get(key) == NULL);
  CHECK_EQ(own, 5);
  own = (int)(intptr_t)argument;
  CHECK_EQ(tss_set(key, argument), thrd_success);
  thrd_yield();
  CHECK(tss_get(key) == argument);
  CHECK_EQ(own, (int)(intptr_t)argument);
  return 0;
}

int main(void) {
  CHECK_EQ(tss_create(&key, destroy), thrd_success);
  thrd_t ids[THREADS];
  for (intptr_t i = 0; i < THREADS; i++) CHECK_EQ(thrd_create(&ids[i], body, (void*)(i + 1)), 0);
  for (int i = 0; i < THREADS; i++) CHECK_EQ(thrd_join(ids[i], NULL), thrd_success);
  CHECK_EQ(destroyed, THREADS * (THREADS + 1) / 2);
  CHECK_EQ(own, 5);
  tss_delete(key);
  printf("destroyed %d\n", destroyed);
}
