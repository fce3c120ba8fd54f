// Descriptor numbers are reused at once by other threads, for other kinds of file: no wake-up, no
// readiness and no byte of the old file may reach the new one.
#include "net.h"

#include <sys/eventfd.h>

enum { THREADS = 8 };
static int rounds;

static void* writer(void* argument) {
  const int* end = argument;
  sched_yield();
  CHECK_EQ(write(end[1], end, sizeof *end), sizeof *end);
  return NULL;
}

static void* body(void* argument) {
  for (int i = 0; i < rounds; i++) {
    int kind = (i + (int)(intptr_t)argument) % 4, fds[2], got = 0;
    if (kind == 0) CHECK_OK(pipe(fds));
    if (kind == 1) CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    if (kind == 2) tcp_pair(fds);
    if (kind == 3) {
      int event = eventfd(0, 0);
      uint64_t value = (uint64_t)i + 1;
      CHECK_EQ(write(event, &value, 8), 8);
      CHECK_EQ(read(event, &value, 8), 8);
      CHECK_EQ(value, i + 1);
      CHECK_OK(close(event));
      continue;
    }
    int message[2] = {i * 16 + (int)(intptr_t)argument, fds[1]};
    pthread_t thread = spawn(writer, message);
    struct pollfd p = {fds[0], POLLIN, 0};
    if (i % 3 == 0) CHECK_EQ(poll(&p, 1, 20000), 1);
    CHECK_EQ(read(fds[0], &got, sizeof got), sizeof got);
    CHECK_EQ(got, message[0]);
    if (i % 5 == 0) CHECK_OK(close(fds[0]));
    join(thread);
    if (i % 5) CHECK_OK(close(fds[0]));
    CHECK_OK(close(fds[1]));
  }
  return NULL;
}

int main(int argc, char** argv) {
  rounds = arg_or(argc, argv, 1, 200);
  pthread_t threads[THREADS];
  for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(body, (void*)i);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  printf("%d descriptors\n", THREADS * rounds);
}
