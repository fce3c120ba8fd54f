// The contention scope that the calling thread has.
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
