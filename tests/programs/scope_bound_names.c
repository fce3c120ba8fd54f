// Threads that GREEN_BOUND names, by start symbol or by a name that they take or are given, have
// system scope, which natively every thread has.
#include "scope.h"

static pthread_barrier_t named;

static __attribute__((noinline)) void* static_start(void* unused) {
  CHECK_EQ(scope_of_self(), PTHREAD_SCOPE_SYSTEM);
  return unused;
}

static void* names_itself(void* name) {
  CHECK_OK(pthread_setname_np(pthread_self(), name));
  CHECK_EQ(scope_of_self(), PTHREAD_SCOPE_SYSTEM);
  return NULL;
}

static void* is_named(void* unused) {
  pthread_barrier_wait(&named);
  AWAIT(scope_of_self() == PTHREAD_SCOPE_SYSTEM);
  return unused;
}

int main(void) {
  // Having asked for the other scope, even in vain, a program is told which of them a thread has.
  pthread_attr_t attr;
  CHECK_OK(pthread_attr_init(&attr));
  (void)pthread_attr_setscope(&attr, PTHREAD_SCOPE_PROCESS);
  CHECK_OK(pthread_barrier_init(&named, NULL, 2));
  for (int i = 0; i < 20; i++) {
    pthread_t threads[4] = {spawn(static_start, NULL), spawn(names_itself, "exact"),
                            spawn(names_itself, "prefix-of-many"), spawn(is_named, NULL)};
    CHECK_OK(pthread_setname_np(threads[3], "prefix-3"));
    pthread_barrier_wait(&named);
    for (int k = 0; k < 4; k++) join(threads[k]);
  }
  printf("bound\n");
}
