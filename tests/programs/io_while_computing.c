// Threads that compute in short turns, giving way to each other, do not hold up those that wait
// for I/O: another process's bytes are echoed within milliseconds.
#include "check.h"
#include "net.h"

#include <sched.h>
#include <sys/wait.h>

static volatile int stop;
static int begin[2], echo[2];

static void* computes(void* argument) {
  char byte;
  CHECK_EQ(read(begin[0], &byte, 1), 1);
  while (!stop) {
    int64_t until = now_ns(CLOCK_MONOTONIC) + MS / 2;
    while (now_ns(CLOCK_MONOTONIC) < until) {
    }
    sched_yield();
  }
  return argument;
}

static void* echoes(void* argument) {
  char byte;
  while (read(echo[0], &byte, 1) == 1) CHECK_EQ(write(echo[0], &byte, 1), 1);
  return argument;
}

static int compare(const void* a, const void* b) {
  int64_t x = *(const int64_t*)a, y = *(const int64_t*)b;
  return x < y ? -1 : x > y;
}

int main(int argc, char** argv) {
  int threads = arg_or(argc, argv, 1, 3);
  enum { ROUNDS = 60 };
  CHECK_OK(pipe(begin));
  CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, echo));
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    int64_t took[ROUNDS];
    char byte = 0;
    for (int i = 0; i < ROUNDS; i++) {
      sleep_ms(5);
      int64_t start = now_ns(CLOCK_MONOTONIC);
      if (write(echo[1], &byte, 1) != 1 || read(echo[1], &byte, 1) != 1) _exit(3);
      took[i] = now_ns(CLOCK_MONOTONIC) - start;
    }
    qsort(took, ROUNDS, sizeof took[0], compare);
    if (argc > 2) dprintf(2, "median %lld us\n", (long long)took[ROUNDS / 2] / 1000);
    _exit(took[ROUNDS / 2] < 10 * MS ? 0 : 2);
  }
  close(echo[1]);
  pthread_t computing[8], echoing = spawn(echoes, NULL);
  for (int i = 0; i < threads; i++) computing[i] = spawn(computes, NULL);
  sleep_ms(5);
  for (int i = 0; i < threads; i++) CHECK_EQ(write(begin[1], "x", 1), 1);
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
  stop = 1;
  for (int i = 0; i < threads; i++) join(computing[i]);
  join(echoing);
  puts("echoed in time");
}
