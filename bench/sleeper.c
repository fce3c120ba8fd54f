// A thread that sleeps 5 ms again and again, beside threads that never stop
// computing and allocating: how late does it wake?
//
//   sleeper [HOGS [SECONDS]]

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

enum { kBlocks = 64, kMostHogs = 1024 };
static const double kNap = 0.005;

static atomic_bool stopping;
static double running;

static void* hog(void* arg) {
  unsigned seed = (unsigned)(size_t)arg;
  char* block[kBlocks] = {0};
  while (!atomic_load_explicit(&stopping, memory_order_relaxed)) {
    seed = seed * 1664525u + 1013904223u;
    char** slot = &block[seed >> 26];
    free(*slot);
    size_t size = 16 + ((seed >> 8) & 4095);
    *slot = malloc(size);
    if (*slot) memset(*slot, (int)seed, size);
  }
  for (int i = 0; i < kBlocks; i++) free(block[i]);
  return NULL;
}

static int ascending(const void* a, const void* b) {
  double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

static void* sleeper(void* unused) {
  size_t most = (size_t)(running / kNap) + 1, n = 0;
  double* late = malloc(most * sizeof *late);
  double sum = 0, end = wall_seconds() + running;
  if (!late) exit(1);
  while (n < most) {
    struct timespec nap = {0, (long)(kNap * 1e9)};
    double before = wall_seconds();
    nanosleep(&nap, NULL);
    double now = wall_seconds();
    sum += late[n++] = (now - before - kNap) * 1e6;
    if (now > end) break;
  }
  qsort(late, n, sizeof *late, ascending);
  printf("naps=%zu late_avg_us=%.1f late_p99_us=%.1f late_max_us=%.1f\n", n, sum / (double)n,
         late[n * 99 / 100], late[n - 1]);
  free(late);
  return unused;
}

int main(int argc, char** argv) {
  static pthread_t hogs[kMostHogs];
  long count = positive_argument(argc, argv, 1, 4);
  running = (double)positive_argument(argc, argv, 2, 3);
  if (count > kMostHogs) return 2;
  for (long i = 0; i < count; i++)
    if (pthread_create(&hogs[i], NULL, hog, (void*)(size_t)(i + 1)) != 0) return 1;
  pthread_t thread;
  if (pthread_create(&thread, NULL, sleeper, NULL) != 0) return 1;
  pthread_join(thread, NULL);
  atomic_store(&stopping, 1);
  for (long i = 0; i < count; i++) pthread_join(hogs[i], NULL);
  return 0;
}
