// A pair that wakes each other all the time has its share of a CPU beside threads that compute.
#include "one_cpu.h"

#include <semaphore.h>

enum { HOGS = 2 };
static sem_t sides[2];
static volatile int stop;

static void* computes(void* unused) {
  while (!stop) {
  }
  return unused;
}

static void* plays(void* argument) {
  intptr_t side = (intptr_t)argument;
  while (!stop) {
    CHECK_OK(sem_wait(&sides[side]));
    CHECK_OK(sem_post(&sides[1 - side]));
  }
  CHECK_OK(sem_post(&sides[1 - side]));
  return NULL;
}

static int64_t cpu_of(pthread_t thread) {
  clockid_t clock;
  CHECK_OK(pthread_getcpuclockid(thread, &clock));
  return now_ns(clock);
}

int main(int argc, char** argv) {
  run_on_first_cpu();
  for (unsigned side = 0; side < 2; side++) CHECK_OK(sem_init(&sides[side], 0, side));
  pthread_t threads[HOGS + 2];
  for (int i = 0; i < HOGS; i++) threads[i] = spawn(computes, NULL);
  for (int i = 0; i < 2; i++) threads[HOGS + i] = spawn(plays, (void*)(intptr_t)i);
  int64_t pair = -cpu_of(threads[HOGS]) - cpu_of(threads[HOGS + 1]);
  int64_t hogs = 0;
  for (int i = 0; i < HOGS; i++) hogs -= cpu_of(threads[i]);
  // So much CPU time for all together: other programs may have what they want beside this one.
  while (now_ns(CLOCK_PROCESS_CPUTIME_ID) < arg_or(argc, argv, 1, 700) * MS) sleep_ms(10);
  for (int i = 0; i < HOGS; i++) hogs += cpu_of(threads[i]);
  for (int i = 0; i < 2; i++) pair += cpu_of(threads[HOGS + i]);
  stop = 1;
  for (int i = 0; i < HOGS + 2; i++) join(threads[i]);
  if (argc > 1)
    dprintf(2, "the pair %lld ms, the hogs %lld\n", (long long)(pair / MS), (long long)(hogs / MS));
  CHECK(pair > (pair + hogs) / 10);
  CHECK(hogs > (pair + hogs) / 10);
  puts("both had their share");
}
