// Every thread has the timer slack of the process, also on an OS thread that came to be while
// another was stuck in a call.
#include "check.h"

#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { THREADS = 12 };
static struct sockaddr_un name = {.sun_family = AF_UNIX};
static socklen_t length;
static int slack, connected;

// The listener's queue has room for one: the others wait in the kernel until they are accepted.
static void* connects(void* unused) {
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK_OK(connect(fd, (struct sockaddr*)&name, length));
  CHECK(prctl(PR_GET_TIMERSLACK) == slack);
  __atomic_fetch_add(&connected, 1, __ATOMIC_SEQ_CST);
  CHECK_OK(close(fd));
  return unused;
}

int main(void) {
  pthread_t threads[THREADS];
  slack = prctl(PR_GET_TIMERSLACK);
  CHECK(slack > 1);
  length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
                       sprintf(name.sun_path + 1, "slack-%d", getpid()));
  int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK_OK(bind(listener, (struct sockaddr*)&name, length));
  CHECK_OK(listen(listener, 0));
  for (int i = 0; i < THREADS; i++) threads[i] = spawn(connects, NULL);
  for (int i = 0; i < 20; i++) {
    sleep_ms(5);
    CHECK(prctl(PR_GET_TIMERSLACK) == slack);
  }
  CHECK(__atomic_load_n(&connected, __ATOMIC_SEQ_CST) < THREADS);
  for (int i = 0; i < THREADS; i++) CHECK_OK(close(accept(listener, NULL, NULL)));
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  puts("the same for all");
}
