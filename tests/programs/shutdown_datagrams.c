// shutdown of a datagram socket wakes a thread that waits to receive: it reads the end, as often as
// it asks, and what had come before first.
#include "net.h"

static void* receives(void* at) {
  char text[8];
  int fd = *(int*)at;
  CHECK_EQ(recv(fd, text, sizeof text, 0), 5);
  CHECK_EQ(recv(fd, text, sizeof text, 0), 0);
  CHECK_EQ(read(fd, text, sizeof text), 0);
  struct iovec one = {text, sizeof text};
  struct msghdr message = {.msg_iov = &one, .msg_iovlen = 1};
  CHECK_EQ(recvmsg(fd, &message, 0), 0);
  CHECK_ERRNO(recv(fd, text, sizeof text, MSG_DONTWAIT), EAGAIN);
  return NULL;
}

static void stop(int receiver, int sender, int how) {
  pthread_t thread = spawn(receives, &receiver);
  sleep_ms(5);
  CHECK_EQ(send(sender, "hello", 5, 0), 5);
  sleep_ms(5);
  // An unconnected UDP socket is told that it has no peer, and shut down all the same.
  if (shutdown(receiver, how) != 0) CHECK_EQ(errno, ENOTCONN);
  join(thread);
  CHECK_OK(close(receiver));
  CHECK_OK(close(sender));
}

int main(void) {
  for (int i = 0; i < 5; i++) {
    int pair[2];
    CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
    stop(pair[0], pair[1], SHUT_RD);
    pair[0] = bound_socket(SOCK_DGRAM);
    pair[1] = bound_socket(SOCK_DGRAM);
    struct sockaddr_in to = loopback(port_of(pair[0]));
    CHECK_OK(connect(pair[1], (struct sockaddr*)&to, sizeof to));
    stop(pair[0], pair[1], SHUT_RDWR);
  }
  printf("10 ended\n");
}
