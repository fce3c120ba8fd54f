// Time slices that end in a look that does not wait (poll, select) do not make it fail.
#include "check.h"

#include <poll.h>
#include <sys/select.h>

static int fds[2];
static volatile int stop;

static void* looks(void* unused) {
  while (!stop) {
    struct pollfd p = {fds[0], POLLIN, 0};
    struct timeval none = {0, 0};
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fds[0], &set);
    CHECK_EQ(poll(&p, 1, 0), 0);
    CHECK_EQ(poll(NULL, 0, 0), 0);
    CHECK_EQ(select(fds[0] + 1, &set, NULL, NULL, &none), 0);
  }
  return unused;
}

int main(int argc, char** argv) {
  pthread_t threads[12];
  CHECK_OK(pipe(fds));
  for (int i = 0; i < 12; i++) threads[i] = spawn(looks, NULL);
  sleep_ms(arg_or(argc, argv, 1, 1000));
  stop = 1;
  for (int i = 0; i < 12; i++) join(threads[i]);
  puts("every look came back");
}
