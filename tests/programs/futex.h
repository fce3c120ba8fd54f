// The raw futex system call, for the programs that test it below libc.
#pragma once
#include "check.h"

#include <linux/futex.h>
#include <sys/syscall.h>

static inline long futex(void* word, int op, uint32_t value, const void* timeout_or_count,
                         void* word2, uint32_t value3) {
  return syscall(SYS_futex, word, op, value, timeout_or_count, word2, value3);
}

static inline long futex_wait(void* word, uint32_t value) {
  return futex(word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static inline long futex_wake(void* word, int count) {
  return futex(word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

// Wakes until `count` waiters in all were woken: they may still be on their way to the wait.
static inline void futex_wake_exactly(void* word, int count) {
  for (int woken = 0; woken < count; sleep_ms(1)) {
    long now = futex_wake(word, count - woken);
    CHECK(now >= 0 && now <= count - woken);
    woken += (int)now;
  }
}
