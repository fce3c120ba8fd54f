// A loop that asks for a thread's CPU time all the while gives way like any other that computes.
#include "tests/programs/check.h"

#include <semaphore.h>

enum { kRounds = 100 };

static sem_t there, back;

static void* answers(void* unused) {
  for (int i = 0; i < kRounds; i++) {
    CHECK_OK(sem_wait(&there));
    CHECK_OK(sem_post(&back));
  }
  CHECK_OK(sem_wait(&there));  // whose clock is asked for is alive
  return unused;
}

int main(void) {
  CHECK_OK(sem_init(&there, 0, 0));
  CHECK_OK(sem_init(&back, 0, 0));
  pthread_t thread;
  clockid_t clock;
  CHECK_OK(pthread_create(&thread, NULL, answers, NULL));
  CHECK_OK(pthread_getcpuclockid(thread, &clock));
  const int64_t began = now_ns(CLOCK_PROCESS_CPUTIME_ID);
  for (int i = 0; i < kRounds; i++) {
    CHECK_OK(sem_post(&there));
    while (sem_trywait(&back) != 0) now_ns(clock);
  }
  // A slice or two of 10 ms a round; it was 30 s. Of CPU time, as others may have the CPUs
  // meanwhile.
  CHECK(now_ns(CLOCK_PROCESS_CPUTIME_ID) - began < 15 * SECOND);
  CHECK_OK(sem_post(&there));
  CHECK_OK(pthread_join(thread, NULL));
  printf("answered\n");
  return 0;
}
