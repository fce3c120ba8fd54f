// Names belong to threads: set by oneself or by another, at most 15 bytes, prctl sees the same.
#include "check.h"

#include <sys/prctl.h>

static pthread_barrier_t step;

static void* body(void* argument) {
  char name[16], want[16];
  snprintf(want, sizeof want, "worker-%d", (int)(intptr_t)argument);
  CHECK_OK(pthread_setname_np(pthread_self(), want));
  pthread_barrier_wait(&step);
  CHECK_OK(pthread_getname_np(pthread_self(), name, sizeof name));
  CHECK(strcmp(name, want) == 0);
  CHECK_OK(prctl(PR_GET_NAME, name));
  CHECK(strcmp(name, want) == 0);
  pthread_barrier_wait(&step);
  pthread_barrier_wait(&step);
  CHECK_OK(prctl(PR_GET_NAME, name));
  CHECK(strcmp(name, "renamed") == 0);
  CHECK_OK(prctl(PR_SET_NAME, "by-prctl"));
  CHECK_OK(pthread_getname_np(pthread_self(), name, sizeof name));
  CHECK(strcmp(name, "by-prctl") == 0);
  return NULL;
}

int main(void) {
  enum { THREADS = 10 };
  char own[16], name[16], want[16];
  CHECK_OK(pthread_getname_np(pthread_self(), own, sizeof own));
  CHECK_OK(pthread_barrier_init(&step, NULL, THREADS + 1));
  pthread_t threads[THREADS];
  for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(body, (void*)i);
  pthread_barrier_wait(&step);
  pthread_barrier_wait(&step);
  for (int i = 0; i < THREADS; i++) {
    snprintf(want, sizeof want, "worker-%d", i);
    CHECK_OK(pthread_getname_np(threads[i], name, sizeof name));
    CHECK(strcmp(name, want) == 0);
    CHECK_EQ(pthread_getname_np(threads[i], name, 3), ERANGE);
    CHECK_EQ(pthread_setname_np(threads[i], "sixteen-bytes-xx"), ERANGE);
    CHECK_OK(pthread_setname_np(threads[i], "renamed"));
  }
  pthread_barrier_wait(&step);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  CHECK_OK(pthread_getname_np(pthread_self(), name, sizeof name));
  CHECK(strcmp(name, own) == 0);
  printf("names kept apart\n");
}
