// main as the last thread leaves with pthread_exit(value): the status is still 0, atexit runs.
#include "check.h"

static int joined;

static void report(void) {
  CHECK_EQ(joined, 4);
  dprintf(1, "joined %d\n", joined);
}

static void* body(void* argument) { return argument; }

int main(void) {
  CHECK_OK(atexit(report));
  for (int i = 0; i < 4; i++) {
    CHECK(join(spawn(body, &joined)) == &joined);
    joined++;
  }
  pthread_exit((void*)9);
}
