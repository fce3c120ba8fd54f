// Thread CPU clocks: monotone, they grow while computing and hardly while sleeping, are readable
// from another thread, and stay below the process's clock.
#include "check.h"

static pthread_barrier_t step;

static void compute_until(int64_t cpu_ns) {
  int64_t last = now_ns(CLOCK_THREAD_CPUTIME_ID), end = last + cpu_ns;
  while (last < end) {
    for (volatile int i = 0; i < 20000; i++) {
    }
    int64_t now = now_ns(CLOCK_THREAD_CPUTIME_ID);
    CHECK(now >= last);
    last = now;
  }
}

static void* computing(void* unused) {
  compute_until(30 * MS);
  pthread_barrier_wait(&step);
  pthread_barrier_wait(&step);
  return unused;
}

static void* sleeping(void* unused) {
  int64_t start = now_ns(CLOCK_THREAD_CPUTIME_ID);
  sleep_ms(60);
  CHECK(now_ns(CLOCK_THREAD_CPUTIME_ID) - start < 30 * MS);
  pthread_barrier_wait(&step);
  pthread_barrier_wait(&step);
  return unused;
}

int main(void) {
  CHECK_OK(pthread_barrier_init(&step, NULL, 3));
  pthread_t busy = spawn(computing, NULL), idle = spawn(sleeping, NULL);
  clockid_t busy_clock, idle_clock, own_clock;
  CHECK_OK(pthread_getcpuclockid(busy, &busy_clock));
  CHECK_OK(pthread_getcpuclockid(idle, &idle_clock));
  CHECK_OK(pthread_getcpuclockid(pthread_self(), &own_clock));
  pthread_barrier_wait(&step);
  int64_t busy_ns = now_ns(busy_clock), idle_ns = now_ns(idle_clock);
  CHECK(busy_ns >= 30 * MS);
  CHECK(idle_ns < busy_ns);
  CHECK(now_ns(CLOCK_PROCESS_CPUTIME_ID) >= busy_ns);
  CHECK(now_ns(own_clock) <= now_ns(CLOCK_THREAD_CPUTIME_ID));
  struct timespec step_of;
  CHECK_OK(clock_getres(busy_clock, &step_of));
  CHECK(step_of.tv_sec == 0 && step_of.tv_nsec > 0 && step_of.tv_nsec < 20 * MS);
  pthread_barrier_wait(&step);
  join(busy);
  join(idle);
  printf("clocks agree\n");
}
