// Seconds of a clock as a double, and a whole number of an option.

#ifndef BENCH_CLOCK_H_
#define BENCH_CLOCK_H_

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline double clock_seconds(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline double wall_seconds(void) { return clock_seconds(CLOCK_MONOTONIC); }
static inline double cpu_seconds(void) { return clock_seconds(CLOCK_PROCESS_CPUTIME_ID); }

// argv[index] as a positive number, or the given value when it is absent.
static inline long positive_argument(int argc, char** argv, int index, long otherwise) {
  if (index >= argc) return otherwise;
  char* end;
  long value = strtol(argv[index], &end, 10);
  if (*end != '\0' || value <= 0) {
    fprintf(stderr, "%s: not a positive number: %s\n", argv[0], argv[index]);
    exit(2);
  }
  return value;
}

#endif  // BENCH_CLOCK_H_
