// The ways a process ends, from main and from another thread while others run and wait: exit and
// return run the handlers of atexit in order and flush, quick_exit those of at_quick_exit, _exit
// none.
#include "check.h"

#include <sys/wait.h>

static volatile int stop;
static int way;

static void first(void) { CHECK_EQ(write(1, "a", 1), 1); }
static void second(void) { CHECK_EQ(write(1, "b", 1), 1); }
static void quick(void) { CHECK_EQ(write(1, "q", 1), 1); }
__attribute__((destructor)) static void at_end(void) {
  if (way) CHECK_EQ(write(1, "d", 1), 1);
}

static void* computes(void* unused) {
  while (!stop) {
  }
  return unused;
}
static void* waits(void* unused) {
  for (;;) pause();
  return unused;
}

static void* ends(void* unused) {
  switch (way % 10) {
    case 1: exit(11);
    case 2: quick_exit(12);
    case 3: _exit(13);
    case 4: _Exit(14);
    default: return unused;
  }
}

static int child_main(void) {
  atexit(first);
  atexit(second);
  at_quick_exit(quick);
  pthread_t last = pthread_self();
  for (int i = 0; i < 3; i++) {
    spawn(computes, NULL);
    last = spawn(waits, NULL);
  }
  sleep_ms(1);
  printf("x");  // in the buffer
  if (way == 5) return 15;
  if (way == 6) {
    stop = 1;
    CHECK_OK(pthread_cancel(last));
    CHECK(join(last) == PTHREAD_CANCELED);
    exit(16);
  }
  if (way < 10) ends(NULL);
  join(spawn(ends, NULL));
  return 1;
}

int main(void) {
  const int ways[] = {1, 2, 3, 4, 5, 6, 11, 12, 13, 14};
  const char* const written[] = {"badx", "q", "", "", "badx", "badx", "badx", "q", "", ""};
  join(spawn(ends, NULL));
  for (int i = 0; i < 10; i++) {
    int fds[2], status;
    char text[32] = "";
    CHECK_OK(pipe(fds));
    pid_t child = fork();
    if (child == 0) {
      way = ways[i];
      CHECK_EQ(dup2(fds[1], 1), 1);
      exit(child_main());
    }
    CHECK_OK(close(fds[1]));
    ssize_t size = 0, n;
    while ((n = read(fds[0], text + size, sizeof text - 1 - (size_t)size)) > 0) size += n;
    CHECK_OK(close(fds[0]));
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 10 + ways[i] % 10);
    if (strcmp(text, written[i])) CHECK_FAIL("way %d wrote '%s'", ways[i], text);
  }
  puts("ten ends");
}
