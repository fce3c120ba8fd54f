// Affinity per thread: set, read back, inherited, obeyed by sched_getcpu; wrong sets are refused.
#include "check.h"

#include <sched.h>

static cpu_set_t all;

static int nth(int n) {
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (CPU_ISSET(cpu, &all) && n-- == 0) return cpu;
  }
  CHECK_FAIL("fewer CPUs");
}

static void* inherits(void* argument) {
  cpu_set_t set;
  CHECK_OK(pthread_getaffinity_np(pthread_self(), sizeof set, &set));
  CHECK_EQ(CPU_COUNT(&set), 1);
  CHECK(CPU_ISSET((int)(intptr_t)argument, &set));
  return NULL;
}

static void* body(void* argument) {
  int cpu = nth((int)(intptr_t)argument % CPU_COUNT(&all));
  cpu_set_t set, back;
  CHECK_OK(pthread_getaffinity_np(pthread_self(), sizeof back, &back));
  CHECK(CPU_EQUAL(&back, &all));
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  CHECK_OK(pthread_setaffinity_np(pthread_self(), sizeof set, &set));
  for (int i = 0; i < 20; i++) {
    CHECK_EQ(sched_getcpu(), cpu);
    if (i % 2)
      sched_yield();
    else
      usleep(200);
  }
  CHECK_OK(sched_getaffinity(0, sizeof back, &back));
  CHECK(CPU_EQUAL(&back, &set));
  join(spawn(inherits, (void*)(intptr_t)cpu));
  CPU_ZERO(&set);
  CHECK_EQ(pthread_setaffinity_np(pthread_self(), sizeof set, &set), EINVAL);
  return NULL;
}

int main(void) {
  CHECK_OK(sched_getaffinity(0, sizeof all, &all));
  CHECK(CPU_ISSET(sched_getcpu(), &all));
  pthread_t threads[8];
  for (intptr_t i = 0; i < 8; i++) threads[i] = spawn(body, (void*)i);
  for (int i = 0; i < 8; i++) join(threads[i]);
  cpu_set_t set;
  CHECK_OK(pthread_getaffinity_np(pthread_self(), sizeof set, &set));
  CHECK(CPU_EQUAL(&set, &all));
  printf("8 threads\n");
}
