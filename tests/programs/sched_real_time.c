// A thread of a real-time policy, asked for in its attributes or by itself, has it in the kernel,
// as far as the process may: its own OS thread does, and no other.
#include "check.h"

#include <sched.h>

// proc(5): policy is field 41 of stat.
static int policy_in_kernel(void) {
  char text[1024], *at;
  FILE* file = fopen("/proc/thread-self/stat", "r");
  CHECK(file && fgets(text, sizeof text, file));
  fclose(file);
  at = strrchr(text, ')');
  for (int field = 2; field < 41; field++) at = strchr(at + 1, ' ');
  return atoi(at);
}

static void* is_real_time(void* unused) {
  CHECK_EQ(sched_getscheduler(0), SCHED_RR);
  CHECK_EQ(policy_in_kernel(), SCHED_RR);
  return unused;
}

static void* becomes_real_time(void* unused) {
  const struct sched_param two = {.sched_priority = 2}, none = {.sched_priority = 0};
  CHECK_EQ(policy_in_kernel(), SCHED_OTHER);
  CHECK_OK(pthread_setschedparam(pthread_self(), SCHED_FIFO, &two));
  CHECK_EQ(policy_in_kernel(), SCHED_FIFO);
  CHECK_OK(pthread_setschedparam(pthread_self(), SCHED_OTHER, &none));
  CHECK_EQ(policy_in_kernel(), SCHED_OTHER);
  return unused;
}

static void* is_ordinary(void* unused) {
  CHECK_EQ(policy_in_kernel(), SCHED_OTHER);
  return unused;
}

int main(void) {
  const struct sched_param one = {.sched_priority = 1};
  pthread_attr_t attr;
  CHECK_OK(pthread_attr_init(&attr));
  CHECK_OK(pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED));
  CHECK_OK(pthread_attr_setschedpolicy(&attr, SCHED_RR));
  CHECK_OK(pthread_attr_setschedparam(&attr, &one));
  for (int i = 0; i < 20; i++) {
    pthread_t thread;
    const int r = pthread_create(&thread, &attr, is_real_time, NULL);
    CHECK(r == 0 || r == EPERM);
    if (r == 0) {
      join(thread);
      join(spawn(becomes_real_time, NULL));
    }
    join(spawn(is_ordinary, NULL));
  }
  printf("as asked\n");
}
