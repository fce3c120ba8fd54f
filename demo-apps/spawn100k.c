// The historic program: 100,000 detached threads that do nothing, then
// pthread_exit in main. The last thread to end ends the process, and the exit
// handler reports what one thread cost.
//
//   spawn100k [COUNT]            detached
//   spawn100k --join [COUNT]     create and join, one after the other

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static long count = 100000;
static long retries;
static atomic_long ran;
static double started;

static double seconds(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void* empty(void* arg) { return arg; }

static void* counted(void* arg) {
  atomic_fetch_add_explicit(&ran, 1, memory_order_relaxed);
  return arg;
}

static void report(void) {
  double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
  double wall = seconds(CLOCK_MONOTONIC) - started;
  fprintf(stderr, "threads=%ld cpu_us=%.3f wall_us=%.3f retries=%ld\n", count,
          cpu * 1e6 / (double)count, wall * 1e6 / (double)count, retries);
}

// Under a limit on processes, threads that have ended but are not yet reaped
// still count: let them go, and try again.
static pthread_t create(const pthread_attr_t* attr, void* (*function)(void*)) {
  pthread_t thread;
  int error;
  while ((error = pthread_create(&thread, attr, function, NULL)) == EAGAIN) {
    retries++;
    sched_yield();
  }
  if (error != 0) {
    fprintf(stderr, "spawn100k: pthread_create: %s\n", strerror(error));
    _Exit(1);
  }
  return thread;
}

int main(int argc, char** argv) {
  int join = argc > 1 && strcmp(argv[1], "--join") == 0;
  if (argc > 1 + join) count = atol(argv[1 + join]);
  if (count <= 0) {
    fprintf(stderr, "usage: spawn100k [--join] [COUNT]\n");
    return 2;
  }
  started = seconds(CLOCK_MONOTONIC);
  if (join) {
    for (long i = 0; i < count; i++) pthread_join(create(NULL, counted), NULL);
    report();
    return atomic_load(&ran) == count ? 0 : 1;
  }
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
  atexit(report);
  for (long i = 0; i < count; i++) create(&attr, empty);
  pthread_exit(NULL);
}
