// How many threads can be alive at once, and what one costs: each is created
// with a 64 KiB stack and parks on a condition; then all are woken and joined.
// It stops at the first one that is refused.
//
//   alive [THREADS]

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t arrived = PTHREAD_COND_INITIALIZER;
static pthread_cond_t released = PTHREAD_COND_INITIALIZER;
static long waiting, wanted;
static int go;

static void* park(void* unused) {
  pthread_mutex_lock(&mutex);
  if (++waiting == wanted) pthread_cond_signal(&arrived);
  while (!go) pthread_cond_wait(&released, &mutex);
  pthread_mutex_unlock(&mutex);
  return unused;
}

// The bytes that a line like "VmRSS:  1234 kB" of a file under /proc tells.
static double bytes_of(const char* path, const char* key) {
  char line[256];
  double kilobytes = 0;
  FILE* file = fopen(path, "r");
  if (!file) return 0;
  while (fgets(line, sizeof line, file))
    if (strncmp(line, key, strlen(key)) == 0) sscanf(line + strlen(key), "%lf", &kilobytes);
  fclose(file);
  return kilobytes * 1024;
}

int main(int argc, char** argv) {
  long count = positive_argument(argc, argv, 1, 1000000), created = 0;
  pthread_t* threads = malloc((size_t)count * sizeof *threads);
  pthread_attr_t attr;
  int error = 0;
  if (!threads) return 1;
  memset(threads, 0, (size_t)count * sizeof *threads);
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, 65536);
  double rss = bytes_of("/proc/self/status", "VmRSS:");
  double tables = bytes_of("/proc/self/status", "VmPTE:");
  double kernel = bytes_of("/proc/meminfo", "KernelStack:");

  double t0 = wall_seconds();
  while (created < count && (error = pthread_create(&threads[created], &attr, park, NULL)) == 0)
    created++;
  pthread_mutex_lock(&mutex);
  wanted = created;
  while (waiting < wanted) pthread_cond_wait(&arrived, &mutex);
  pthread_mutex_unlock(&mutex);
  double t1 = wall_seconds();
  rss = bytes_of("/proc/self/status", "VmRSS:") - rss;
  tables = bytes_of("/proc/self/status", "VmPTE:") - tables;
  kernel = bytes_of("/proc/meminfo", "KernelStack:") - kernel;

  double t2 = wall_seconds();
  pthread_mutex_lock(&mutex);
  go = 1;
  pthread_cond_broadcast(&released);
  pthread_mutex_unlock(&mutex);
  for (long i = 0; i < created; i++) pthread_join(threads[i], NULL);
  double t3 = wall_seconds(), n = created ? (double)created : 1;
  printf(
      "alive=%ld create_s=%.3f end_s=%.3f rss_bytes=%.0f table_bytes=%.0f user_bytes=%.0f "
      "kernel_stack_bytes=%.0f cpu_us=%.2f\n",
      created, t1 - t0, t3 - t2, rss / n, tables / n, (rss + tables) / n, kernel / n,
      cpu_seconds() * 1e6 / n);
  if (error != 0) fprintf(stderr, "alive: stopped at %ld: %s\n", created, strerror(error));
  free(threads);
  return 0;
}
