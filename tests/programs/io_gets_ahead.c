// Two threads that hand a byte back and forth do not wait for those that compute to have their
// turns: in CPU time, which a loaded machine does not lengthen, a round trip takes less than one of
// them gets.
#include "check.h"

enum { HOGS = 6, ROUNDS = 60 };

static int there[2], back[2], stop;

static void* computes(void* unused) {
  while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) continue;
  return unused;
}

static void* echoes(void* unused) {
  char byte;
  while (read(there[0], &byte, 1) == 1) CHECK_EQ(write(back[1], &byte, 1), 1);
  return unused;
}

int main(void) {
  CHECK_OK(pipe(there));
  CHECK_OK(pipe(back));
  pthread_t echo = spawn(echoes, NULL), hogs[HOGS];
  for (int i = 0; i < HOGS; i++) hogs[i] = spawn(computes, NULL);
  sleep_ms(100);
  int64_t before = now_ns(CLOCK_PROCESS_CPUTIME_ID);
  for (int i = 0; i < ROUNDS; i++) {
    char byte = 'x';
    sleep_ms(1);
    CHECK_EQ(write(there[1], &byte, 1), 1);
    CHECK_EQ(read(back[0], &byte, 1), 1);
  }
  int64_t used = now_ns(CLOCK_PROCESS_CPUTIME_ID) - before;
  __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
  CHECK_OK(close(there[1]));
  join(echo);
  for (int i = 0; i < HOGS; i++) join(hogs[i]);
  if (used / ROUNDS > 20 * MS) CHECK_FAIL("%lld us each", (long long)used / ROUNDS / 1000);
  puts("ahead");
}
