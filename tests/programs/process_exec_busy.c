// exec with much to copy, which takes a while in the kernel, from a program whose other threads
// want to run: what they send each other must not reach the new program.
#include "check.h"

#include <signal.h>
#include <sys/wait.h>

enum { FEWEST = 5, MOST = 30, ARGUMENTS = 14, LENGTH = 128000 };

static void* spin(void* unused) {
  for (;;) __asm__ volatile("");
  return unused;
}

int main(int argc, char** argv) {
  if (argc > 2) return 17;
  char* large[ARGUMENTS + 2] = {argv[0]};
  for (int i = 1; i <= ARGUMENTS; i++) {
    large[i] = memset(calloc(1, LENGTH + 1), 'x', LENGTH);
  }
  int64_t until = now_ns(CLOCK_MONOTONIC) + 3 * SECOND;
  for (int i = 0; next_round(i, FEWEST, MOST, until); i++) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      for (int t = 0; t < 4; t++) spawn(spin, NULL);
      sleep_ms(i % 5);
      execv(argv[0], large);
      CHECK_FAIL("exec came back");
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 17 << 8);
  }
  puts("ok");
  return 0;
}
