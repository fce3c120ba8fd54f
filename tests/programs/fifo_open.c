// Opening a FIFO blocks until the other side opens it too; the data then flow, and the end is seen.
#include "check.h"

#include <fcntl.h>
#include <sys/stat.h>

static char name[64];

static void* writer(void* unused) {
  int fd = open(name, O_WRONLY);
  CHECK(fd >= 0);
  CHECK_EQ(write(fd, "through", 7), 7);
  CHECK_OK(close(fd));
  return unused;
}

static void* reader(void* unused) {
  int fd = open(name, O_RDONLY);
  CHECK(fd >= 0);
  char text[16];
  CHECK_EQ(read(fd, text, sizeof text), 7);
  CHECK(memcmp(text, "through", 7) == 0);
  CHECK_EQ(read(fd, text, sizeof text), 0);
  CHECK_OK(close(fd));
  return unused;
}

int main(void) {
  for (int i = 0; i < 20; i++) {
    snprintf(name, sizeof name, "/tmp/green-test-fifo-%d-%d", getpid(), i);
    CHECK_OK(mkfifo(name, 0600));
    pthread_t first = spawn(i % 2 ? reader : writer, NULL);
    if (i % 3) sleep_ms(2);
    pthread_t second = spawn(i % 2 ? writer : reader, NULL);
    join(first);
    join(second);
    CHECK_ERRNO(open(name, O_WRONLY | O_NONBLOCK), ENXIO);
    CHECK_OK(unlink(name));
  }
  printf("20 opened\n");
}
