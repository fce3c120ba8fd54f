// dup2 onto any high number makes it the program's, also while a call waits at a file whose number
// was closed: the call goes on, and the number can be closed.
#include "check.h"

#include <sys/resource.h>
#include <sys/wait.h>

enum { kLimit = 128, kFirst = kLimit - 6 };

static int fds[2];

static void* read_one(void* got) {
  char c;
  *(ssize_t*)got = read(fds[0], &c, 1);
  return NULL;
}

int main(void) {
  const struct rlimit limit = {kLimit, kLimit};
  CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
  CHECK_OK(pipe(fds));
  pthread_t thread;
  ssize_t got = -1;
  CHECK_OK(pthread_create(&thread, NULL, read_one, &got));
  sleep_ms(50);
  CHECK_OK(close(fds[0]));
  for (int n = kFirst; n < kLimit; ++n) CHECK_EQ(dup2(fds[1], n), n);
  const pid_t child = fork();
  if (!child) {
    for (int n = kFirst; n < kLimit; ++n) CHECK_OK(close(n));
    _exit(0);
  }
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
  for (int n = kFirst; n < kLimit; ++n) CHECK_OK(close(n));
  CHECK_EQ(write(fds[1], "x", 1), 1);
  CHECK_OK(pthread_join(thread, NULL));
  CHECK_EQ(got, 1);
  return 0;
}
