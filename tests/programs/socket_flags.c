// MSG_PEEK, MSG_WAITALL, MSG_DONTWAIT, MSG_TRUNC: what is taken, what is left, what waits.
#include "net.h"

static int pair[2];

static void* slow_sender(void* unused) {
  for (int i = 0; i < 10; i++) {
    CHECK_EQ(send(pair[1], "0123456789", 10, 0), 10);
    usleep(500);
  }
  return unused;
}

static void* receiver(void* unused) {
  char bytes[200];
  CHECK_ERRNO(recv(pair[0], bytes, 10, MSG_DONTWAIT), EAGAIN);
  pthread_t sender = spawn(slow_sender, NULL);
  CHECK_EQ(recv(pair[0], bytes, 1, MSG_PEEK), 1);  // Waits, and leaves it there.
  CHECK_EQ(bytes[0], '0');
  CHECK_EQ(recv(pair[0], bytes, 100, MSG_WAITALL), 100);
  for (int i = 0; i < 100; i++) CHECK_EQ(bytes[i], '0' + i % 10);
  join(sender);
  CHECK_ERRNO(recv(pair[0], bytes, 1, MSG_DONTWAIT), EAGAIN);
  CHECK_EQ(send(pair[1], "tail", 4, 0), 4);
  CHECK_OK(shutdown(pair[1], SHUT_WR));
  CHECK_EQ(recv(pair[0], bytes, 100, MSG_WAITALL), 4);  // The end cuts it short.
  CHECK_EQ(recv(pair[0], bytes, 100, MSG_WAITALL), 0);
  return unused;
}

int main(void) {
  CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  join(spawn(receiver, NULL));
  tcp_pair(pair);
  join(spawn(receiver, NULL));
  CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
  char bytes[4];
  CHECK_EQ(send(pair[1], "longer", 6, 0), 6);
  CHECK_EQ(recv(pair[0], bytes, 4, MSG_TRUNC), 6);
  CHECK_ERRNO(recv(pair[0], bytes, 4, MSG_DONTWAIT), EAGAIN);
  printf("flags kept\n");
}
