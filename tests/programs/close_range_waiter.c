// A read that waits goes on at its pipe when close_range closes all numbers, and so finds the end;
// one that begins while close_range is at work ends, too.
#include "check.h"

static int fds[2];
static volatile int go, ended;

static void* read_one(void* got) {
  char c;
  *(ssize_t*)got = read(fds[0], &c, 1);
  ended = 1;
  return NULL;
}

static void spin(int turns) {
  for (volatile int i = 0; i < turns; ++i) continue;
}

static void* read_meanwhile(void* turns) {
  char c;
  while (!go) sched_yield();
  spin(*(int*)turns);
  if (read(fds[0], &c, 1) < 0) CHECK_EQ(errno, EBADF);
  ended = 1;
  return NULL;
}

int main(void) {
  pthread_t thread;
  ssize_t got = -1;
  CHECK_OK(pipe(fds));
  CHECK_OK(pthread_create(&thread, NULL, read_one, &got));
  sleep_ms(50);
  CHECK_OK(close_range(3, ~0u, 0));
  AWAIT(ended);
  CHECK_OK(pthread_join(thread, NULL));
  CHECK_EQ(got, 0);
  const int64_t until = now_ns(CLOCK_MONOTONIC) + SECOND;
  for (int i = 0; next_round(i, 100, 5000, until); ++i) {
    int turns = rand() % 2000;
    CHECK_OK(pipe(fds));
    go = ended = 0;
    CHECK_OK(pthread_create(&thread, NULL, read_meanwhile, &turns));
    go = 1;
    spin(rand() % 2000);
    CHECK_OK(close_range((unsigned)fds[0], (unsigned)fds[0], 0));
    CHECK_OK(close(fds[1]));
    AWAIT(ended);
    CHECK_OK(pthread_join(thread, NULL));
  }
  return 0;
}
