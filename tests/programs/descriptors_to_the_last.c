// A program gets each descriptor number below its soft limit, and the lowest free one first: none
// is missing for a runtime beneath it.
#include "check.h"

#include <fcntl.h>
#include <sys/resource.h>

enum { LIMIT = 40 };

static void* takes_all(void* unused) {
  int taken[LIMIT], count = 0, next = 0, fd;
  while ((fd = dup(0)) >= 0) {
    for (; next < fd; next++) CHECK(fcntl(next, F_GETFD) >= 0);  // all below are in use
    next = fd + 1;
    taken[count++] = fd;
  }
  CHECK_EQ(errno, EMFILE);
  CHECK(count > 0);
  for (; next < LIMIT; next++) CHECK(fcntl(next, F_GETFD) >= 0);
  for (int i = 0; i < count; i++) CHECK_OK(close(taken[i]));
  return (void*)(long)count;
}

int main(void) {
  struct rlimit limit;
  CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
  limit.rlim_cur = LIMIT;
  CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
  const long before = (long)takes_all(NULL);
  pthread_t thread;
  void* while_there_are_threads;
  CHECK_OK(pthread_create(&thread, NULL, takes_all, NULL));
  CHECK_OK(pthread_join(thread, &while_there_are_threads));
  CHECK_EQ((long)while_there_are_threads, before);
  struct rlimit after;
  CHECK_OK(getrlimit(RLIMIT_NOFILE, &after));
  CHECK_EQ(after.rlim_cur, LIMIT);
  CHECK_EQ(after.rlim_max, limit.rlim_max);
  printf("as many as before\n");
}
