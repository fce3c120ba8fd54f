// What it takes to start a program and wait for its end, without and with a
// library preloaded, in turn, so that both see the same machine.
//
//   startup RUNS [--preload LIBRARY] COMMAND [ARG...]

#define _GNU_SOURCE
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

static double one_run(char** command, char** environment) {
  pid_t pid;
  int status;
  double before = wall_seconds();
  int error = posix_spawnp(&pid, command[0], NULL, NULL, command, environment);
  if (error != 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
      WEXITSTATUS(status) == 127) {
    fprintf(stderr, "startup: %s: %s\n", command[0], error ? strerror(error) : "it failed");
    exit(1);
  }
  return (wall_seconds() - before) * 1e6;
}

static int ascending(const void* a, const void* b) {
  double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

static char** with_preload(const char* library) {
  size_t n = 0;
  while (environ[n]) n++;
  char** copy = malloc((n + 2) * sizeof *copy);
  if (!copy || asprintf(&copy[0], "LD_PRELOAD=%s", library) < 0) exit(1);
  memcpy(copy + 1, environ, (n + 1) * sizeof *copy);
  return copy;
}

static void print(const char* name, double* us, long runs) {
  qsort(us, (size_t)runs, sizeof *us, ascending);
  printf("%s_us=%.1f %s_p10_us=%.1f ", name, us[runs / 2], name, us[runs / 10]);
}

int main(int argc, char** argv) {
  long runs = positive_argument(argc, argv, 1, 0);
  int preload = argc > 3 && strcmp(argv[2], "--preload") == 0;
  char** command = argv + (preload ? 4 : 2);
  if (runs <= 0 || !command[0]) {
    fprintf(stderr, "usage: startup RUNS [--preload LIBRARY] COMMAND [ARG...]\n");
    return 2;
  }
  unsetenv("LD_PRELOAD");
  char** preloaded = preload ? with_preload(argv[3]) : NULL;
  double* plain = malloc((size_t)runs * sizeof *plain);
  double* with = malloc((size_t)runs * sizeof *with);
  if (!plain || !with) return 1;
  for (long i = 0; i < runs; i++) {
    plain[i] = one_run(command, environ);
    if (preload) with[i] = one_run(command, preloaded);
  }
  print("native", plain, runs);
  if (preload) print("preloaded", with, runs);
  printf("runs=%ld\n", runs);
  if (preloaded) free(preloaded[0]);
  free(preloaded);
  free(plain);
  free(with);
  return 0;
}
