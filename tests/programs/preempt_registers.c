// Computing threads that are preempted anywhere keep their registers: integer, vector, x87 and the
// rounding mode, which differs between them.
#include "check.h"

#include <fenv.h>
#include <math.h>

enum { THREADS = 6 };

// Opaque, and long enough for several time slices.
static __attribute__((noinline)) double mix(unsigned seed, long* sum) {
  double a = seed, b = seed + 0.5, c = 1.0 / (seed + 1), d = 3;
  long double e = seed + 0.25L;
  long x = seed, y = seed * 3 + 1;
  for (int i = 1; i < 1500000; i++) {
    a = a * 0.9999 + b / i;
    b = b + c * a - d;
    c = -c + 1.0 / (i + 1);
    d = d * 0.5 + a * 0.25;
    e = e * 0.99999L + 1.0L / i;
    x = x * 6364136223846793005 + y;
    y ^= x >> 13;
  }
  *sum = x ^ y;
  return a + b + c + d + (double)e;
}

static double expected[THREADS];
static long expected_sum[THREADS];
static const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};

static void* body(void* argument) {
  intptr_t i = (intptr_t)argument;
  CHECK_EQ(fegetround(), FE_TONEAREST);
  CHECK_OK(fesetround(modes[i % 4]));
  for (int round = 0; round < 3; round++) {
    long sum;
    double got = mix((unsigned)i, &sum);
    CHECK(memcmp(&got, &expected[i], sizeof got) == 0);
    CHECK_EQ(sum, expected_sum[i]);
    sched_yield();
    CHECK_EQ(fegetround(), modes[i % 4]);
  }
  return NULL;
}

int main(void) {
  for (int i = 0; i < THREADS; i++) {
    CHECK_OK(fesetround(modes[i % 4]));
    expected[i] = mix((unsigned)i, &expected_sum[i]);
  }
  CHECK_OK(fesetround(FE_TONEAREST));
  CHECK(memcmp(&expected[0], &expected[1], sizeof(double)) != 0);
  pthread_t threads[THREADS];
  for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(body, (void*)i);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  CHECK_EQ(fegetround(), FE_TONEAREST);
  printf("%d computed alike\n", THREADS);
}
