// One thread polls many pipes that as many threads write to, then closes them as they hang up;
// another watches the same descriptors by select.
#include "net.h"

#include <sys/select.h>

enum { PIPES = 60, EACH = 20 };
static int pipes[PIPES][2];

static void* writer(void* argument) {
  int* fds = argument;
  for (int i = 0; i < EACH; i++) {
    if (i % 7 == 0) usleep(300);
    CHECK_EQ(write(fds[1], &i, sizeof i), sizeof i);
  }
  CHECK_OK(close(fds[1]));
  return NULL;
}

// Reads one number, or the end.
static int take(int which, int* next) {
  int number;
  ssize_t got = read(pipes[which][0], &number, sizeof number);
  if (got == 0) return 0;
  CHECK_EQ(got, sizeof number);
  CHECK_EQ(number, next[which]++);
  return 1;
}

int main(void) {
  for (int selects = 0; selects < 2; selects++) {
    pthread_t threads[PIPES];
    int next[PIPES] = {0}, open = PIPES;
    struct pollfd p[PIPES];
    for (int i = 0; i < PIPES; i++) {
      CHECK_OK(pipe(pipes[i]));
      p[i] = (struct pollfd){pipes[i][0], POLLIN, 0};
      threads[i] = spawn(writer, pipes[i]);
    }
    while (open > 0) {
      fd_set set;
      FD_ZERO(&set);
      for (int i = 0; i < PIPES; i++) {
        if (p[i].fd >= 0) FD_SET(p[i].fd, &set);
      }
      int ready = selects ? select(FD_SETSIZE, &set, NULL, NULL, NULL) : poll(p, PIPES, -1);
      CHECK(ready > 0 && ready <= open);
      for (int i = 0; i < PIPES; i++) {
        if (p[i].fd < 0 || !(selects ? FD_ISSET(p[i].fd, &set) : p[i].revents)) continue;
        ready--;
        if (take(i, next)) continue;
        CHECK_EQ(next[i], EACH);
        CHECK_OK(close(p[i].fd));
        p[i].fd = -1;
        open--;
      }
      CHECK_EQ(ready, 0);
    }
    for (int i = 0; i < PIPES; i++) join(threads[i]);
  }
  printf("%d numbers twice\n", PIPES * EACH);
}
