// A thread with default attributes can use 6 MiB of stack, as the default of 8 MiB promises, and
// block at the bottom of it.
#include "check.h"

#include <sys/resource.h>

static int bottoms;

static int __attribute__((noinline)) descend(int kib, int depth) {
  volatile char frame[1024];
  frame[0] = (char)depth;
  frame[1023] = (char)(depth >> 8);
  int below = 0;
  if (kib > 1) {
    below = descend(kib - 1, depth + 1);
  } else {
    usleep(500);
    __atomic_add_fetch(&bottoms, 1, __ATOMIC_SEQ_CST);
  }
  CHECK_EQ(frame[0], (char)depth);
  CHECK_EQ(frame[1023], (char)(depth >> 8));
  return below + 1;
}

static void* body(void* unused) {
  // A frame is a little more than 1 KiB.
  CHECK_EQ(descend(5200, 0), 5200);
  return unused;
}

int main(void) {
  struct rlimit limit;
  CHECK_OK(getrlimit(RLIMIT_STACK, &limit));
  CHECK(limit.rlim_cur >= 8 << 20);
  pthread_t threads[6];
  for (int again = 0; again < 3; again++) {
    for (int i = 0; i < 6; i++) threads[i] = spawn(body, NULL);
    for (int i = 0; i < 6; i++) join(threads[i]);
  }
  CHECK_EQ(bottoms, 18);
  printf("%d at the bottom\n", bottoms);
}
