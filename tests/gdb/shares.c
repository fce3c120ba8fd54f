// Six threads whose CPU time goes to three functions, about 50, 30 and 20% of it; until killed.

#include <pthread.h>
#include <unistd.h>

enum { kUnit = 20000 };

#define WORK(name, units)                                      \
  __attribute__((noinline)) static void name(void) {           \
    for (volatile int i = 0; i < (units)*kUnit; i++) continue; \
  }
WORK(most, 5)
WORK(some, 3)
WORK(least, 2)

static void* work(void* arg) {
  for (;;) most(), some(), least();
  return arg;
}

int main(void) {
  pthread_t t;
  for (int i = 0; i < 6; i++) pthread_create(&t, NULL, work, NULL);
  pause();
  return 0;
}
