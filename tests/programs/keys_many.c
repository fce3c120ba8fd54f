// As many keys as there are, values private to each thread, and a reused key starts out null.
#include "check.h"

#include <limits.h>

static pthread_key_t keys[PTHREAD_KEYS_MAX];
static int count;

static void* body(void* argument) {
  intptr_t base = (intptr_t)argument * 10000;
  for (int i = 0; i < count; i++) {
    CHECK(pthread_getspecific(keys[i]) == NULL);
    CHECK_OK(pthread_setspecific(keys[i], (void*)(base + i)));
  }
  sched_yield();
  for (int i = 0; i < count; i++) CHECK(pthread_getspecific(keys[i]) == (void*)(base + i));
  return NULL;
}

int main(void) {
  while (pthread_key_create(&keys[count], NULL) == 0) {
    if (++count == PTHREAD_KEYS_MAX) break;
  }
  CHECK(count > 900);
  pthread_key_t extra;
  if (count < PTHREAD_KEYS_MAX) CHECK_EQ(pthread_key_create(&extra, NULL), EAGAIN);
  pthread_t threads[10];
  for (intptr_t i = 0; i < 10; i++) threads[i] = spawn(body, (void*)(i + 1));
  for (int i = 0; i < 10; i++) join(threads[i]);

  CHECK_OK(pthread_setspecific(keys[7], &extra));
  CHECK_OK(pthread_key_delete(keys[7]));
  CHECK_EQ(pthread_setspecific(keys[7], &extra), EINVAL);
  CHECK_OK(pthread_key_create(&keys[7], NULL));
  CHECK(pthread_getspecific(keys[7]) == NULL);
  CHECK_EQ(pthread_key_delete(1 << 20), EINVAL);
  printf("keys kept apart\n");
}
