// A non-blocking connect is in progress, poll says when it is done, SO_ERROR says how it went.
#include "net.h"

static void* body(void* unused) {
  for (int i = 0; i < 20; i++) {
    int listener = i % 2 ? tcp_listen(1) : bound_socket(SOCK_STREAM);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = loopback(port_of(listener));
    CHECK_ERRNO(connect(fd, (struct sockaddr*)&address, sizeof address), EINPROGRESS);
    struct pollfd p = {fd, POLLOUT, 0};
    CHECK_EQ(poll(&p, 1, 20000), 1);
    CHECK(p.revents & POLLOUT);
    int error = -1;
    socklen_t size = sizeof error;
    CHECK_OK(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size));
    CHECK_EQ(error, i % 2 ? 0 : ECONNREFUSED);
    CHECK_OK(close(fd));
    CHECK_OK(close(listener));
  }
  return unused;
}

int main(void) {
  pthread_t threads[5];
  for (int i = 0; i < 5; i++) threads[i] = spawn(body, NULL);
  for (int i = 0; i < 5; i++) join(threads[i]);
  printf("100 connects\n");
}
