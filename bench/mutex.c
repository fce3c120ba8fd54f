// A pthread mutex: lock and unlock by one thread alone, then by four at once.
//
//   mutex [OPERATIONS]

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"

enum { kThreads = 4 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t start;
static long operations, guarded;

static void* work(void* unused) {
  pthread_barrier_wait(&start);
  for (long i = 0; i < operations; i++) {
    pthread_mutex_lock(&mutex);
    guarded++;
    pthread_mutex_unlock(&mutex);
  }
  return unused;
}

// Nanoseconds per operation of all threads together, wall and CPU.
static void measure(unsigned threads, const char* name) {
  pthread_t thread[kThreads];
  guarded = 0;
  pthread_barrier_init(&start, NULL, threads + 1);
  for (unsigned i = 0; i < threads; i++)
    if (pthread_create(&thread[i], NULL, work, NULL) != 0) exit(1);
  double wall = wall_seconds(), cpu = cpu_seconds();
  pthread_barrier_wait(&start);
  for (unsigned i = 0; i < threads; i++) pthread_join(thread[i], NULL);
  wall = wall_seconds() - wall, cpu = cpu_seconds() - cpu;
  pthread_barrier_destroy(&start);
  double total = (double)operations * threads;
  if ((double)guarded != total) {
    fprintf(stderr, "mutex: lost an update: %ld of %.0f\n", guarded, total);
    exit(1);
  }
  printf("%s_ns=%.2f %s_cpu_ns=%.2f ", name, wall * 1e9 / total, name, cpu * 1e9 / total);
}

int main(int argc, char** argv) {
  operations = positive_argument(argc, argv, 1, 5000000);
  measure(1, "alone");
  measure(kThreads, "contended");
  printf("operations=%ld\n", operations);
  return 0;
}
