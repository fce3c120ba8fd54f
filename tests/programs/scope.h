// Threads of a contention scope, and the one that the calling thread has.
#pragma once

#include "check.h"

static inline int scope_of_self(void) {
  pthread_attr_t attr;
  int scope;
  CHECK_OK(pthread_getattr_np(pthread_self(), &attr));
  CHECK_OK(pthread_attr_getscope(&attr, &scope));
  CHECK_OK(pthread_attr_destroy(&attr));
  return scope;
}

// PTHREAD_SCOPE_PROCESS may be refused. SYSTEM counts as a wish only where PROCESS was asked for
// before.
static inline pthread_t spawn_scoped(int scope, void* (*body)(void*), void* argument) {
  pthread_attr_t attr;
  pthread_t thread;
  CHECK_OK(pthread_attr_init(&attr));
  (void)pthread_attr_setscope(&attr, PTHREAD_SCOPE_PROCESS);
  if (scope == PTHREAD_SCOPE_SYSTEM) CHECK_OK(pthread_attr_setscope(&attr, scope));
  CHECK_OK(pthread_create(&thread, &attr, body, argument));
  CHECK_OK(pthread_attr_destroy(&attr));
  return thread;
}
