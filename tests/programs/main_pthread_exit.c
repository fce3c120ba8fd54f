// main leaves first; another thread joins it, takes its value and goes on working. When the last
// thread ends, the process ends with status 0 and its atexit handlers run.
#include "check.h"

static pthread_t main_thread;
static int steps;

static void report(void) {
  CHECK_EQ(steps, 3);
  dprintf(1, "main joined, process ended by the last thread\n");
}

static void* body(void* unused) {
  (void)unused;
  CHECK(join(main_thread) == (void*)0x77);
  steps++;
  sleep_ms(20);
  CHECK(join(spawn((void* (*)(void*))strdup, (void*)"child")) != NULL);
  steps++;
  CHECK_OK(pthread_detach(pthread_self()));
  steps++;
  return (void*)5;  // Not the exit status: that is 0.
}

int main(void) {
  CHECK_OK(atexit(report));
  main_thread = pthread_self();
  spawn(body, NULL);
  pthread_exit((void*)0x77);
}
