// A blocking write of megabytes returns only when all is written, however slowly it is read; a
// non-blocking one writes a part. Every byte arrives in order, through pipe, Unix and TCP sockets.
#include "net.h"

enum { SIZE = 3 << 20 };
static char* data;

static void* writer(void* argument) {
  int fd = (int)(intptr_t)argument;
  CHECK_EQ(write(fd, data, SIZE), SIZE);
  struct iovec iov[3] = {{data, 1000}, {data + 1000, SIZE - 3000}, {data + SIZE - 2000, 2000}};
  CHECK_EQ(writev(fd, iov, 3), SIZE);
  CHECK_OK(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK));
  ssize_t part = 0;
  while (part < SIZE) {  // Until it is full, then at the reader's pace.
    ssize_t now = write(fd, data + part, (size_t)(SIZE - part));
    if (now < 0) {
      CHECK_EQ(errno, EAGAIN);
      struct pollfd p = {fd, POLLOUT, 0};
      CHECK_EQ(poll(&p, 1, 20000), 1);
    } else {
      part += now;
    }
  }
  CHECK_OK(close(fd));
  return NULL;
}

static void read_slowly(int fd) {
  static char buffer[70000];
  size_t total = 0;
  for (int i = 0;; i++) {
    ssize_t now = read(fd, buffer, (size_t)(i % 2 ? 70000 : 5000));
    CHECK(now >= 0);
    if (now == 0) break;
    for (ssize_t n = 0; n < now; n++) CHECK(buffer[n] == data[(total + (size_t)n) % SIZE]);
    total += (size_t)now;
    if (i % 8 == 0) usleep(200);
  }
  CHECK_EQ(total, 3L * SIZE);
}

int main(void) {
  data = malloc(SIZE);
  for (int i = 0; i < SIZE; i++) data[i] = (char)(i * 7 + i / 256);
  for (int kind = 0; kind < 3; kind++) {
    int fds[2];
    if (kind == 0) CHECK_OK(pipe(fds));
    if (kind == 1) CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    if (kind == 2) tcp_pair(fds);
    pthread_t thread = spawn(writer, (void*)(intptr_t)fds[1]);
    read_slowly(fds[0]);
    join(thread);
    CHECK_OK(close(fds[0]));
  }
  free(data);
  printf("%d bytes, 3 times by 3 ways\n", SIZE);
}
