// Threads that begin and end all the time change the user, to the one that it is, at the same time.
#include "check.h"

enum { THREADS = 4, ROUNDS = 150 };

static void* changes(void* unused) {
  CHECK_OK(setuid(getuid()));
  CHECK_OK(setgid(getgid()));
  return unused;
}

int main(void) {
  pthread_t threads[THREADS];
  const int64_t until = now_ns(CLOCK_MONOTONIC) + 2 * SECOND;
  for (int i = 0; next_round(i, 10, ROUNDS, until); i++) {
    for (int j = 0; j < THREADS; j++) threads[j] = spawn(changes, NULL);
    for (int j = 0; j < THREADS; j++) join(threads[j]);
  }
  puts("still the same");
}
