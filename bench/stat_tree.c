// A tree of files that the kernel has cached, gone through by one thread or by
// many: stat() of each, as locate's updatedb does it; opening, reading and closing
// each; or listing the directories.
//
//   stat_tree stat|open|list [THREADS [FILES [ROUNDS [TREE]]]]
//   stat_tree make 1 FILES 1 TREE
//
// Without TREE, an empty directory that `make` has filled, it makes its files anew.

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "scratch.h"

enum { kPerDirectory = 100, kPath = 320 };

static long threads, files, rounds;
static char (*paths)[kPath];

static void name_files(const char* root) {
  for (long i = 0; i < files; i++)
    snprintf(paths[i], kPath, "%s/d%ld/file%ld", root, i / kPerDirectory, i);
}

static void make_files(void) {
  for (long i = 0; i < files; i++) {
    char* name = strrchr(paths[i], '/');
    *name = 0;
    if (i % kPerDirectory == 0 && mkdir(paths[i], 0700) != 0) perror("mkdir"), exit(1);
    *name = '/';
    int fd = open(paths[i], O_CREAT | O_WRONLY, 0600);
    if (fd < 0 || write(fd, "text", 4) != 4) perror("open"), exit(1);
    close(fd);
  }
}

static void stat_one(long i) {
  struct stat s;
  if (stat(paths[i], &s) != 0) perror("stat"), exit(1);
}

static void open_one(long i) {
  char text[16];
  int fd = open(paths[i], O_RDONLY);
  if (fd < 0 || read(fd, text, sizeof text) != 4) perror("open"), exit(1);
  close(fd);
}

// A directory, when its first file comes up.
static void list_one(long i) {
  if (i % kPerDirectory) return;
  char path[kPath];
  strcpy(path, paths[i]);
  *strrchr(path, '/') = 0;
  DIR* directory = opendir(path);
  if (!directory) perror("opendir"), exit(1);
  while (readdir(directory)) continue;
  closedir(directory);
}

static void (*visit)(long i) = stat_one;

static void* visit_share(void* arg) {
  long first = files * (long)(size_t)arg / threads,
       last = files * ((long)(size_t)arg + 1) / threads;
  for (long round = 0; round < rounds; round++)
    for (long i = first; i < last; i++) visit(i);
  return NULL;
}

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "open") == 0) visit = open_one;
  if (argc > 1 && strcmp(argv[1], "list") == 0) visit = list_one;
  int make = argc > 1 && strcmp(argv[1], "make") == 0;
  threads = positive_argument(argc, argv, 2, 1);
  files = positive_argument(argc, argv, 3, 100000);
  rounds = positive_argument(argc, argv, 4, 4);
  paths = malloc((size_t)files * sizeof *paths);
  pthread_t* thread = malloc((size_t)threads * sizeof *thread);
  if (!paths || !thread) return 1;
  name_files(argc > 5 ? argv[5] : scratch_directory());
  if (make || argc <= 5) make_files();
  if (make) return 0;
  double wall = wall_seconds(), cpu = cpu_seconds();
  for (long i = 0; i < threads; i++)
    if (pthread_create(&thread[i], NULL, visit_share, (void*)(size_t)i) != 0) exit(1);
  for (long i = 0; i < threads; i++) pthread_join(thread[i], NULL);
  wall = wall_seconds() - wall, cpu = cpu_seconds() - cpu;
  double visits = (double)files * (double)rounds;
  printf("threads=%ld files=%ld wall_ns=%.1f cpu_ns=%.1f\n", threads, files, wall * 1e9 / visits,
         cpu * 1e9 / visits);
  free(thread);
  free(paths);
  return 0;
}
