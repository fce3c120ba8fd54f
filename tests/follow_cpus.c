// Threads that compute or yield all the time; commands on stdin: "pin MASK" gives every thread that
// mask, "grow" waits until every thread has counted on. Answers each with "ok".
#define _GNU_SOURCE 1
#include <sched.h>

#include "tests/programs/check.h"

enum { COMPUTING = 6, THREADS = 12 };

static pthread_t threads[THREADS];
static volatile unsigned long counts[THREADS];

static void* computes(void* number) {
  for (;;) counts[(intptr_t)number]++;
  return NULL;
}

static void* yields(void* number) {
  for (;;) {
    counts[(intptr_t)number]++;
    sched_yield();
  }
  return NULL;
}

static void pin(unsigned long mask) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int cpu = 0; cpu < 64; cpu++)
    if (mask >> cpu & 1) CPU_SET(cpu, &set);
  CHECK_OK(sched_setaffinity(0, sizeof set, &set));
  for (int i = 0; i < THREADS; i++) CHECK_OK(pthread_setaffinity_np(threads[i], sizeof set, &set));
}

static void grow(void) {
  for (int i = 0; i < THREADS; i++) {
    unsigned long before = counts[i];
    AWAIT(counts[i] != before);
  }
}

int main(void) {
  for (intptr_t i = 0; i < THREADS; i++)
    threads[i] = spawn(i < COMPUTING ? computes : yields, (void*)i);
  char line[64];
  while (fgets(line, sizeof line, stdin)) {
    if (strncmp(line, "pin ", 4) == 0) pin(strtoul(line + 4, NULL, 16));
    if (strcmp(line, "grow\n") == 0) grow();
    puts("ok");
    fflush(stdout);
  }
  _exit(0);
}
