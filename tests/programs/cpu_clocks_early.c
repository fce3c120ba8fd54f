// What the program has computed before its first thread is the main thread's, not of the thread
// that reads its clock first; so in a forked child, whose clocks begin anew.
#include "check.h"

#include <sys/wait.h>

static void compute(int64_t cpu_ns) {
  for (int64_t end = now_ns(CLOCK_PROCESS_CPUTIME_ID) + cpu_ns;
       now_ns(CLOCK_PROCESS_CPUTIME_ID) < end;)
    for (volatile int i = 0; i < 10000; i++) {
    }
}

static void* is_new(void* unused) {
  CHECK(now_ns(CLOCK_THREAD_CPUTIME_ID) < 50 * MS);
  return unused;
}

static void run(int64_t computed) {
  compute(computed);
  join(spawn(is_new, NULL));
  const int64_t own = now_ns(CLOCK_THREAD_CPUTIME_ID);
  CHECK(own >= computed && own < computed + 100 * MS);
  CHECK(own <= now_ns(CLOCK_PROCESS_CPUTIME_ID));
}

int main(void) {
  run(150 * MS);
  int status;
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    run(60 * MS);
    _exit(0);
  }
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
  puts("each its own");
}
