// A process without threads forks one child after the other, and each creates threads: all work,
// also when the parent loads and unloads a library between them, and when a child without threads
// forks such children itself. What the first child had to find out, the later ones need not.
#include "check.h"

#include <dlfcn.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { kThreads = 8, kChildren = 12 };

static int pipes[kThreads][2];

static void* copy_on(void* argument) {
  const long n = (long)argument;
  char c;
  CHECK_EQ(read(pipes[n][0], &c, 1), 1);
  if (n + 1 < kThreads) CHECK_EQ(write(pipes[n + 1][1], &c, 1), 1);
  return (void*)(long)c;
}

static void run_threads(void) {
  pthread_t threads[kThreads];
  for (long n = 0; n < kThreads; ++n) {
    CHECK_OK(pipe(pipes[n]));
    threads[n] = spawn(copy_on, (void*)n);
  }
  CHECK_EQ(write(pipes[0][1], "x", 1), 1);
  for (int n = 0; n < kThreads; ++n) CHECK_EQ((long)join(threads[n]), 'x');
}

static void use_threads(void) {
  run_threads();
  _exit(7);
}

// Microseconds of CPU time.
static long child(void (*body)(void)) {
  const pid_t pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) body();
  int status;
  struct rusage used;
  CHECK_EQ(wait4(pid, &status, 0, &used), pid);
  CHECK_EQ(status, 7 << 8);
  return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 + used.ru_utime.tv_usec +
         used.ru_stime.tv_usec;
}

static void fork_on(void) {
  for (int n = 0; n < 3; ++n) child(use_threads);
  use_threads();
}

int main(void) {
  const long first = child(use_threads);
  long least = first;
  for (int n = 0; n < kChildren; ++n) {
    const long used = child(use_threads);
    if (used < least) least = used;
  }
  if (first > 2000) CHECK(least < first * 3 / 4);

  void* library = dlopen("libm.so.6", RTLD_NOW);
  CHECK(library);
  child(use_threads);
  child(fork_on);
  CHECK_OK(dlclose(library));
  child(use_threads);
  CHECK(dlopen("libm.so.6", RTLD_NOW));
  child(use_threads);
  child(fork_on);
  run_threads();
  return 0;
}
