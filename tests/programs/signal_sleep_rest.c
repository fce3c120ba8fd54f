// An interrupted nanosleep says how much is left, an absolute clock_nanosleep says nothing, and a
// sleep continued with the rest takes as long as asked.
#include "check.h"

#include <signal.h>

static int handled;
static void handler(int number) {
  (void)number;
  __atomic_add_fetch(&handled, 1, __ATOMIC_SEQ_CST);
}

static void* body(void* unused) {
  int64_t start = now_ns(CLOCK_MONOTONIC);
  struct timespec rest = to_timespec(100 * MS), before = rest;
  int interrupted = 0;
  while (nanosleep(&rest, &rest) != 0) {
    CHECK_EQ(errno, EINTR);
    // The kernel counts its timer slack into the rest.
    CHECK(rest.tv_sec == 0 && rest.tv_nsec <= before.tv_nsec + MS);
    before = rest;
    interrupted++;
  }
  CHECK(interrupted > 0);
  CHECK(now_ns(CLOCK_MONOTONIC) - start >= 100 * MS);

  start = now_ns(CLOCK_MONOTONIC);
  struct timespec end = to_timespec(start + 50 * MS), untouched = {7, 7};
  int result;
  while ((result = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, &untouched)) != 0) {
    CHECK_EQ(result, EINTR);
  }
  CHECK(untouched.tv_sec == 7 && untouched.tv_nsec == 7);
  CHECK(now_ns(CLOCK_MONOTONIC) - start >= 50 * MS);
  return unused;
}

int main(void) {
  struct sigaction action = {.sa_handler = handler};
  CHECK_OK(sigaction(SIGUSR1, &action, NULL));
  pthread_t thread = spawn(body, NULL);
  while (pthread_tryjoin_np(thread, NULL) == EBUSY) {
    pthread_kill(thread, SIGUSR1);
    usleep(7000);
  }
  CHECK(handled > 0);
  struct timespec bad = {0, SECOND};
  CHECK_ERRNO(nanosleep(&bad, NULL), EINVAL);
  CHECK_EQ(clock_nanosleep(12345, 0, &bad, NULL), EINVAL);
  printf("slept it all\n");
}
