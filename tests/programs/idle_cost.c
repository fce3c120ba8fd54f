// Threads that all wait (for a lock, a condition, a byte, a far time; for each other in a ring,
// that is a deadlock) use no CPU at all.
#include "check.h"

#include <signal.h>
#include <sys/wait.h>

static pthread_mutex_t locks[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t both;
static int fds[2], begun[2];

static void* waits(void* argument) {
  intptr_t how = (intptr_t)argument;
  char byte;
  if (how % 4 == 0) sleep(1000);
  if (how % 4 == 1) CHECK_EQ(read(fds[0], &byte, 1), 1);
  if (how >= 30) {  // a deadlock of two
    CHECK_OK(pthread_mutex_lock(&locks[how % 2]));
    pthread_barrier_wait(&both);
    CHECK_OK(pthread_mutex_lock(&locks[1 - how % 2]));
  }
  pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;
  CHECK_OK(pthread_mutex_lock(&own));
  for (;;) CHECK_OK(pthread_cond_wait(&condition, &own));
}

static void* ends(void* unused) { return unused; }

static int64_t cpu_of(pid_t pid) {
  clockid_t clock;
  CHECK_OK(clock_getcpuclockid(pid, &clock));
  return now_ns(clock);
}

int main(void) {
  CHECK_OK(pipe(fds));
  CHECK_OK(pipe(begun));
  CHECK_OK(pthread_barrier_init(&both, NULL, 2));
  join(spawn(ends, NULL));
  pid_t child = fork();
  if (child == 0) {
    for (intptr_t i = 0; i < 30; i++) spawn(waits, (void*)i);
    spawn(waits, (void*)34);
    spawn(waits, (void*)35);
    CHECK_EQ(write(begun[1], "x", 1), 1);
    for (;;) pause();
  }
  char byte;
  CHECK_EQ(read(begun[0], &byte, 1), 1);
  // Until all wait and the last look around is over: soon, if nobody else wants the CPUs.
  int64_t before, limit = now_ns(CLOCK_MONOTONIC) + 8 * SECOND;
  do {
    before = cpu_of(child);
    sleep_ms(500);
  } while (cpu_of(child) != before && now_ns(CLOCK_MONOTONIC) < limit);
  sleep_ms(2000);
  int64_t used = cpu_of(child) - before;
  CHECK_EQ(waitpid(child, NULL, WNOHANG), 0);
  CHECK_OK(kill(child, SIGKILL));
  CHECK_EQ(waitpid(child, NULL, 0), child);
  if (used > MS / 30) CHECK_FAIL("%lld us of CPU in 2 s", (long long)used / 1000);
  puts("idle");
}
