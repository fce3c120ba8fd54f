// What every behaviour program shares: a check that names its line, and a few one-line helpers.
// Include it first: it asks libc for everything that it declares.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// _exit, not exit: a failed check must not wait for a lock that the failure left held.
#define CHECK_FAIL(...)                        \
  do {                                         \
    int saved_errno = errno;                   \
    dprintf(2, "%s:%d: ", __FILE__, __LINE__); \
    dprintf(2, __VA_ARGS__);                   \
    dprintf(2, " (errno %d)\n", saved_errno);  \
    _exit(1);                                  \
  } while (0)

#define CHECK(condition)                                    \
  do {                                                      \
    if (!(condition)) CHECK_FAIL("failed: %s", #condition); \
  } while (0)

#define CHECK_EQ(got, want)                                                    \
  do {                                                                         \
    long long got_ = (long long)(got), want_ = (long long)(want);              \
    if (got_ != want_) CHECK_FAIL("%s is %lld, want %lld", #got, got_, want_); \
  } while (0)

// For pthread-style calls, which return their error.
#define CHECK_OK(call) CHECK_EQ(call, 0)

// For calls that must fail with -1 and this errno.
#define CHECK_ERRNO(call, error) \
  do {                           \
    errno = 0;                   \
    CHECK_EQ(call, -1);          \
    CHECK_EQ(errno, error);      \
  } while (0)

// Waits, politely, for what another thread will make true; a bound keeps a lost wake-up from
// looking like a hang.
#define AWAIT(condition)                                                         \
  do {                                                                           \
    int64_t limit_ = now_ns(CLOCK_MONOTONIC) + 20 * SECOND;                      \
    while (!(condition)) {                                                       \
      if (now_ns(CLOCK_MONOTONIC) > limit_) CHECK_FAIL("never: %s", #condition); \
      sleep_ms(1);                                                               \
    }                                                                            \
  } while (0)

#define MS ((int64_t)1000000)
#define SECOND (1000 * MS)

static inline int64_t now_ns(clockid_t clock) {
  struct timespec t;
  CHECK_OK(clock_gettime(clock, &t));
  return t.tv_sec * SECOND + t.tv_nsec;
}

// For many rounds of the same: goes on until `most`, on a machine that is busy otherwise until the
// time is over, after `fewest`.
static inline int next_round(int done, int fewest, int most, int64_t until) {
  return done < fewest || (done < most && now_ns(CLOCK_MONOTONIC) < until);
}

static inline struct timespec to_timespec(int64_t ns) {
  struct timespec t;
  t.tv_sec = ns / SECOND;
  t.tv_nsec = ns % SECOND;
  return t;
}

static inline struct timespec after_ms(clockid_t clock, int64_t ms) {
  return to_timespec(now_ns(clock) + ms * MS);
}

static inline void sleep_ms(int64_t ms) {
  struct timespec t = to_timespec(ms * MS);
  while (nanosleep(&t, &t) != 0) CHECK_EQ(errno, EINTR);
}

static inline pthread_t spawn(void* (*body)(void*), void* argument) {
  pthread_t thread;
  CHECK_OK(pthread_create(&thread, NULL, body, argument));
  return thread;
}

static inline void* join(pthread_t thread) {
  void* result = NULL;
  CHECK_OK(pthread_join(thread, &result));
  return result;
}

static inline int arg_or(int argc, char** argv, int index, int fallback) {
  return argc > index ? atoi(argv[index]) : fallback;
}
