// What interposed functions have in common.
#pragma once

#include "interpose/start.h"

#define GREEN_EXPORT extern "C" __attribute__((visibility("default")))

// libc's function of the same name. The lookup is idempotent, so a race is harmless.
#define GREEN_REAL(name)                                                      \
  ([] {                                                                       \
    static decltype(&::name) real;                                            \
    if (__builtin_expect(!real, 0))                                           \
      real = reinterpret_cast<decltype(&::name)>(green::RealFunction(#name)); \
    return real;                                                              \
  }())
