// Attributes read back from a live thread: detach state, scope, policy, inheritance.
#include "check.h"

#include <sched.h>

static pthread_barrier_t done;

static void* body(void* unused) {
  pthread_attr_t attr;
  int state, policy, scope;
  struct sched_param param;
  CHECK_OK(pthread_getattr_np(pthread_self(), &attr));
  CHECK_OK(pthread_attr_getdetachstate(&attr, &state));
  CHECK_EQ(state, PTHREAD_CREATE_DETACHED);
  CHECK_OK(pthread_attr_getscope(&attr, &scope));
  CHECK_EQ(scope, PTHREAD_SCOPE_SYSTEM);
  CHECK_OK(pthread_getschedparam(pthread_self(), &policy, &param));
  CHECK_EQ(policy, SCHED_OTHER);
  CHECK_EQ(param.sched_priority, 0);
  CHECK_OK(pthread_attr_destroy(&attr));
  pthread_barrier_wait(&done);
  return unused;
}

int main(void) {
  CHECK_OK(pthread_barrier_init(&done, NULL, 2));
  pthread_attr_t attr;
  CHECK_OK(pthread_attr_init(&attr));
  CHECK_EQ(pthread_attr_setdetachstate(&attr, 77), EINVAL);
  CHECK_OK(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED));
  CHECK_OK(pthread_attr_setscope(&attr, PTHREAD_SCOPE_SYSTEM));
  CHECK_OK(pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED));
  CHECK_OK(pthread_attr_setschedpolicy(&attr, SCHED_OTHER));
  pthread_t thread;
  CHECK_OK(pthread_create(&thread, &attr, body, NULL));
  pthread_barrier_wait(&done);
  printf("attributes kept\n");
}
