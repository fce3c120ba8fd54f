// stat() over a tree of files that the kernel has cached, as locate's updatedb
// does it, by one thread or by many.
//
//   stat_tree [THREADS [FILES [ROUNDS]]]

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "scratch.h"

enum { kPerDirectory = 100, kPath = 320 };

static long threads, files, rounds;
static char (*paths)[kPath];

static void build(void) {
  const char* root = scratch_directory();
  for (long i = 0; i < files; i++) {
    int n = snprintf(paths[i], kPath, "%s/d%ld", root, i / kPerDirectory);
    if (i % kPerDirectory == 0 && mkdir(paths[i], 0700) != 0) perror("mkdir"), exit(1);
    snprintf(paths[i] + n, (size_t)(kPath - n), "/file%ld", i);
    int fd = open(paths[i], O_CREAT | O_WRONLY, 0600);
    if (fd < 0) perror("open"), exit(1);
    close(fd);
  }
}

static void* stat_share(void* arg) {
  long first = files * (long)(size_t)arg / threads,
       last = files * ((long)(size_t)arg + 1) / threads;
  for (long round = 0; round < rounds; round++) {
    for (long i = first; i < last; i++) {
      struct stat s;
      if (stat(paths[i], &s) != 0) perror("stat"), exit(1);
    }
  }
  return NULL;
}

int main(int argc, char** argv) {
  threads = positive_argument(argc, argv, 1, 1);
  files = positive_argument(argc, argv, 2, 20000);
  rounds = positive_argument(argc, argv, 3, 20);
  paths = malloc((size_t)files * sizeof *paths);
  pthread_t* thread = malloc((size_t)threads * sizeof *thread);
  if (!paths || !thread) return 1;
  build();
  double wall = wall_seconds(), cpu = cpu_seconds();
  for (long i = 0; i < threads; i++)
    if (pthread_create(&thread[i], NULL, stat_share, (void*)(size_t)i) != 0) exit(1);
  for (long i = 0; i < threads; i++) pthread_join(thread[i], NULL);
  wall = wall_seconds() - wall, cpu = cpu_seconds() - cpu;
  double stats = (double)files * (double)rounds;
  printf("threads=%ld files=%ld wall_ns=%.1f cpu_ns=%.1f\n", threads, files, wall * 1e9 / stats,
         cpu * 1e9 / stats);
  free(thread);
  free(paths);
  return 0;
}
