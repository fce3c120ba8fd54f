// __thread variables, zeroed and initialised, aligned and large, are each thread's own across
// blocking and yielding; their addresses differ and stay.
#include "check.h"

static __thread int zero, five = 5;
static __thread char large[5000] = "initial";
static __thread _Alignas(64) char aligned[64];
__thread int exported __attribute__((tls_model("initial-exec"))) = 9;
static int fds[2];

static void* body(void* argument) {
  int id = (int)(intptr_t)argument, *where = &zero;
  CHECK_EQ(zero, 0);
  CHECK_EQ(five, 5);
  CHECK_EQ(exported, 9);
  CHECK(strcmp(large, "initial") == 0);
  CHECK_EQ((uintptr_t)aligned % 64, 0);
  for (int i = 0; i < 50; i++) {
    zero = id * 1000 + i;
    five = -zero;
    exported = zero + 1;
    snprintf(large + 4000, 100, "%d", zero);
    char byte;
    if (i % 10 == 0) {
      CHECK_EQ(write(fds[1], "b", 1), 1);
      CHECK_EQ(read(fds[0], &byte, 1), 1);
    } else if (i % 3) {
      sched_yield();
    } else {
      usleep(100);
    }
    CHECK(where == &zero);
    CHECK_EQ(zero, id * 1000 + i);
    CHECK_EQ(five, -zero);
    CHECK_EQ(exported, zero + 1);
    CHECK_EQ(atoi(large + 4000), zero);
  }
  return where;
}

int main(void) {
  enum { THREADS = 40 };
  CHECK_OK(pipe(fds));
  pthread_t threads[THREADS];
  for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(body, (void*)(i + 1));
  for (int i = 0; i < THREADS; i++) CHECK(join(threads[i]) != &zero);
  CHECK_EQ(zero, 0);
  CHECK_EQ(five, 5);
  printf("%d threads\n", THREADS);
}
