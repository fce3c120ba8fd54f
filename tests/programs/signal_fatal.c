// A signal's default action ends the whole process, whichever thread it was sent to: the parent
// sees that signal.
#include "check.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static volatile int* volatile nowhere;

static void* forever(void* unused) {
  for (;;) pause();
  return unused;
}

static void* suicide(void* how) {
  if ((intptr_t)how == 0) raise(SIGTERM);
  if ((intptr_t)how == 1) kill(getpid(), SIGTERM);
  if ((intptr_t)how == 2) abort();
  if ((intptr_t)how == 3) *nowhere = 1;
  sleep(100);
  return NULL;
}

int main(void) {
  struct rlimit no_core = {0, 0};
  CHECK_OK(setrlimit(RLIMIT_CORE, &no_core));
  const int signals[] = {SIGTERM, SIGTERM, SIGABRT, SIGSEGV, SIGTERM, SIGKILL};
  for (intptr_t how = 0; how < 6; how++) {
    int fds[2];
    CHECK_OK(pipe(fds));
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      for (int i = 0; i < 3; i++) spawn(forever, NULL);
      pthread_t last = spawn(how < 4 ? suicide : forever, (void*)how);
      if (how == 4) CHECK_OK(pthread_kill(last, SIGTERM));
      CHECK_EQ(write(fds[1], "x", 1), 1);
      sleep(100);
      _exit(0);
    }
    char byte;
    if (how == 5) {
      CHECK_EQ(read(fds[0], &byte, 1), 1);
      CHECK_OK(kill(child, SIGKILL));
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status));
    CHECK_EQ(WTERMSIG(status), signals[how]);
  }
  printf("6 ends\n");
}
