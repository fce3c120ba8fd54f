// For programs whose threads must have one CPU among them.
#pragma once
#include "check.h"

#include <sched.h>

// Of those allowed; for the caller and the threads that it makes from now on.
static inline void run_on_first_cpu(void) {
  cpu_set_t set;
  CHECK_OK(sched_getaffinity(0, sizeof set, &set));
  int cpu = 0;
  while (!CPU_ISSET(cpu, &set)) cpu++;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  CHECK_OK(sched_setaffinity(0, sizeof set, &set));
}
