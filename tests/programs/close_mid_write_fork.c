// A process is forked while a long write is in its middle. The child, which closes the pipe's
// numbers, does not keep it open by any other: behind the last byte the reader finds its end, and
// the child lives on.
#include "net.h"

#include <sys/ioctl.h>
#include <sys/wait.h>

enum { kSize = 1 << 20 };
static int fds[2], hold[2];
static char data[kSize], got[65536];

static void* write_long(void* unused) {
  CHECK_EQ(write(fds[1], data, kSize), kSize);
  return NULL;
}

int main(void) {
  CHECK_OK(pipe(fds));
  CHECK_OK(pipe(hold));
  pthread_t writer = spawn(write_long, NULL);
  int bytes = 0;
  AWAIT(ioctl(fds[0], FIONREAD, &bytes) == 0 && bytes > 0);
  sleep_ms(20);
  CHECK_EQ(read(fds[0], got, sizeof got), sizeof got);  // so that its second part begins
  sleep_ms(20);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    close(fds[0]), close(fds[1]), close(hold[1]);
    char byte;
    _exit(read(hold[0], &byte, 1) == 0 ? 0 : 1);
  }
  close(hold[0]);
  ssize_t n;
  size_t sum = sizeof got;
  for (; sum < kSize; sum += (size_t)n) CHECK((n = read(fds[0], got, sizeof got)) > 0);
  join(writer);
  CHECK_OK(close(fds[1]));
  CHECK_EQ(read(fds[0], got, 1), 0);
  int status;
  CHECK_OK(waitpid(child, &status, WNOHANG));  // it lives
  CHECK_OK(close(hold[1]));
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
  printf("the end was seen\n");
}
