// On one CPU, a thread that creates one of a higher real-time priority goes on when that one waits,
// and before one of its own or a lower priority.
#include "one_cpu.h"

static volatile int ran;

static void* body(void* unused) {
  ran = 1;
  return unused;
}

static pthread_t start(void* (*start_routine)(void*), int priority) {
  pthread_attr_t attr;
  const struct sched_param param = {.sched_priority = priority};
  CHECK_OK(pthread_attr_init(&attr));
  if (priority) {
    CHECK_OK(pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED));
    CHECK_OK(pthread_attr_setschedpolicy(&attr, SCHED_FIFO));
    CHECK_OK(pthread_attr_setschedparam(&attr, &param));
  }
  pthread_t thread;
  const int r = pthread_create(&thread, &attr, start_routine, NULL);
  if (r == EPERM) {  // there is nothing to be seen
    puts("the highest first");
    exit(0);
  }
  CHECK_OK(r);
  return thread;
}

static void* creator(void* unused) {
  static const int priorities[] = {3, 2, 1, 4, 0};  // 0: inherits its creator's, 2
  for (int i = 0; i < 20; i++) {
    int priority = priorities[i % 5];
    ran = 0;
    pthread_t thread = start(body, priority);
    if (priority > 2) CHECK_EQ(ran, 1);
    join(thread);
    CHECK_EQ(ran, 1);
  }
  return unused;
}

int main(void) {
  run_on_first_cpu();
  for (int i = 0; i < 3; i++) join(start(creator, 2));
  puts("the highest first");
}
