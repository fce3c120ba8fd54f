// Threads of 256 KiB use most of it by alloca and by printf of long doubles, and block meanwhile.
#include "check.h"

#include <alloca.h>

static void* body(void* argument) {
  for (int i = 1; i <= 10; i++) {
    size_t size = (size_t)i * 18 * 1024;
    char text[5000];
    snprintf(text, sizeof text, "%4000.10Lf", 2.5L * i);
    CHECK_EQ(strlen(text), 4000);
    volatile char* own = alloca(1024);
    own[0] = own[1023] = (char)i;
    if (i == 10) {
      char* big = alloca(size);
      memset(big, i, size);
      usleep(300);
      for (size_t n = 0; n < size; n += 511) CHECK_EQ(big[n], i);
    }
    sched_yield();
    CHECK_EQ(own[0] + own[1023], 2 * i);
  }
  return argument;
}

int main(void) {
  enum { THREADS = 50 };
  pthread_attr_t attr;
  CHECK_OK(pthread_attr_init(&attr));
  CHECK_OK(pthread_attr_setstacksize(&attr, 256 * 1024));
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) CHECK_OK(pthread_create(&threads[i], &attr, body, threads));
  for (int i = 0; i < THREADS; i++) CHECK(join(threads[i]) == threads);
  printf("%d small stacks\n", THREADS);
}
