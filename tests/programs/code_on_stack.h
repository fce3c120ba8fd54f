// Code on the caller's stack, as gcc's nested functions put it there.
#pragma once

#include <string.h>

#include "check.h"

static inline int call_on_stack(int value) {
  unsigned char code[] = {0xb8, 0, 0, 0, 0, 0xc3};  // mov $value, %eax; ret
  int (*function)(void);
  void* address = code;
  memcpy(code + 1, &value, sizeof value);
  memcpy(&function, &address, sizeof function);
  __asm__ volatile("" ::"r"(code) : "memory");
  return function();
}
