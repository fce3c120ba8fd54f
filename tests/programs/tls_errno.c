// errno is each thread's own, across blocking calls of every kind that other threads fail in.
#include "check.h"

#include <poll.h>

static int fds[2];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void* body(void* argument) {
  int mine = 1000 + (int)(intptr_t)argument;
  for (int i = 0; i < 100; i++) {
    char byte = 'x';
    errno = mine;
    switch ((i + mine) % 7) {
      case 0: sched_yield(); break;
      case 1: usleep(50); break;
      case 2:
        CHECK_OK(pthread_mutex_lock(&mutex));
        sched_yield();
        CHECK_OK(pthread_mutex_unlock(&mutex));
        break;
      case 3:
        CHECK_EQ(write(fds[1], &byte, 1), 1);
        CHECK_EQ(read(fds[0], &byte, 1), 1);
        break;
      case 4: CHECK_EQ(poll(NULL, 0, 1), 0); break;
      case 5:
        CHECK_EQ(read(-1, &byte, 1), -1);
        CHECK_EQ(errno, EBADF);
        errno = mine;
        break;
      case 6:
        CHECK_EQ(lseek(fds[0], 0, SEEK_SET), -1);
        CHECK_EQ(errno, ESPIPE);
        errno = mine;
    }
    CHECK_EQ(errno, mine);
  }
  return &errno;
}

int main(void) {
  enum { THREADS = 30 };
  CHECK_OK(pipe(fds));
  errno = 7;
  pthread_t threads[THREADS];
  for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(body, (void*)i);
  for (int i = 0; i < THREADS; i++) CHECK(join(threads[i]) != &errno);
  CHECK_EQ(errno, 7);
  printf("%d errnos\n", THREADS);
}
