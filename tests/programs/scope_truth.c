// A thread has the contention scope that was asked for, where it can be had, and getscope says so,
// of attributes and of threads.
#include "scope.h"

static void* body(void* wanted) {
  CHECK_EQ(scope_of_self(), *(int*)wanted);
  return NULL;
}

static void try(int asked) {
  pthread_attr_t attr, copy;
  int scope;
  CHECK_OK(pthread_attr_init(&attr));
  const int refused = pthread_attr_setscope(&attr, asked);
  if (refused) {
    CHECK_EQ(refused, ENOTSUP);
    CHECK_EQ(asked, PTHREAD_SCOPE_PROCESS);
    asked = PTHREAD_SCOPE_SYSTEM;
  }
  copy = attr;
  CHECK_OK(pthread_attr_getscope(&copy, &scope));
  CHECK_EQ(scope, asked);
  pthread_t thread;
  CHECK_OK(pthread_create(&thread, &copy, body, &asked));
  join(thread);
  CHECK_OK(pthread_attr_destroy(&attr));
}

int main(void) {
  pthread_attr_t attr;
  int scope;
  for (int i = 0; i < 3; i++) {
    try(PTHREAD_SCOPE_PROCESS);
    try(PTHREAD_SCOPE_SYSTEM);
  }
  // Attributes that say nothing tell what a thread would get.
  CHECK_OK(pthread_attr_init(&attr));
  CHECK_EQ(pthread_attr_setscope(&attr, 77), EINVAL);
  CHECK_OK(pthread_attr_getscope(&attr, &scope));
  pthread_t thread;
  CHECK_OK(pthread_create(&thread, &attr, body, &scope));
  join(thread);
  CHECK_OK(pthread_attr_destroy(&attr));
  printf("scopes are as told\n");
}
