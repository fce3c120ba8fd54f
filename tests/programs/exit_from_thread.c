// exit() called by a thread: its status counts, handlers run once in reverse order, stdio is
// flushed. A child process stands for the program, so that the status can be checked.
#include "check.h"

#include <sys/wait.h>

static void first_registered(void) { printf("registered first\n"); }
static void last_registered(void) { printf("registered last\n"); }

static void* leaver(void* unused) {
  (void)unused;
  printf("buffered by the thread\n");
  exit(42);
}

int main(void) {
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    CHECK_OK(atexit(first_registered));
    CHECK_OK(atexit(last_registered));
    join(spawn(leaver, NULL));
    CHECK(!"exit() came back");
  }
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK(WIFEXITED(status));
  CHECK_EQ(WEXITSTATUS(status), 42);
}
