// A thread that jumps out of poll and select of many descriptors, from a handler, leaves no memory
// behind.
#include "check.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/select.h>

enum { FDS = 900, JUMPS = 3000, MOST_KB = 256 };

static struct pollfd fds[FDS];
static sigjmp_buf away;
static volatile int inside, jumps;

static void leave(int unused) {
  if (!inside) return;
  inside = 0;
  siglongjmp(away, 1);
}

static long mapped_kb(void) {
  char line[128];
  long kb = -1;
  FILE* f = fopen("/proc/self/status", "r");
  CHECK(f);
  while (kb < 0 && fgets(line, sizeof line, f)) sscanf(line, "VmSize: %ld", &kb);
  fclose(f);
  return kb;
}

static void select_all(void) {
  fd_set set;
  struct timeval ms = {0, 1000};
  FD_ZERO(&set);
  for (int i = 0; i < FDS; i++) FD_SET(fds[i].fd, &set);
  select(FD_SETSIZE, &set, NULL, NULL, &ms);
}

static void* waits(void* unused) {
  while (jumps < JUMPS) {
    if (sigsetjmp(away, 1)) {
      jumps++;
      continue;
    }
    inside = 1;
    if (jumps % 2)
      poll(fds, FDS, 1);
    else
      select_all();
    inside = 0;
  }
  return NULL;
}

int main(void) {
  int ends[2];
  CHECK_OK(pipe(ends));
  for (int i = 0; i < FDS; i++) fds[i] = (struct pollfd){dup(ends[0]), POLLIN, 0};
  CHECK(fds[FDS - 1].fd > 0 && fds[FDS - 1].fd < FD_SETSIZE);
  signal(SIGUSR1, leave);
  pthread_t thread = spawn(waits, NULL);
  AWAIT(inside);
  const long before = mapped_kb();
  while (jumps < JUMPS) {
    pthread_kill(thread, SIGUSR1);
    const struct timespec gap = {0, 50000 + rand() % 400000};
    nanosleep(&gap, NULL);
  }
  const long after = mapped_kb();
  join(thread);
  if (after - before > MOST_KB) CHECK_FAIL("%ld KB left", after - before);
  puts("ok");
  return 0;
}
