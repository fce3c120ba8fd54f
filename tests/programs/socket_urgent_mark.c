// Urgent data ends a MSG_WAITALL receive that has a part, wherever the receive was: before it,
// waiting, or on a non-blocking socket. What follows stays in place.
#include "net.h"

static int pair[2];

static void receive_to_mark(void) {
  char bytes[10];
  CHECK_EQ(recv(pair[0], bytes, 10, MSG_WAITALL), 2);
  CHECK(memcmp(bytes, "ab", 2) == 0);
  CHECK_EQ(sockatmark(pair[0]), 1);
  CHECK_EQ(recv(pair[0], bytes, 1, MSG_OOB), 1);
  CHECK_EQ(bytes[0], '!');
  CHECK_EQ(recv(pair[0], bytes, 2, MSG_WAITALL), 2);
  CHECK(memcmp(bytes, "cd", 2) == 0);
}

static void* receiver(void* unused) {
  receive_to_mark();
  return unused;
}

static void send_all(int pause_ms) {
  CHECK_EQ(send(pair[1], "ab", 2, 0), 2);
  sleep_ms(pause_ms);
  CHECK_EQ(send(pair[1], "!", 1, MSG_OOB), 1);
  CHECK_EQ(send(pair[1], "cd", 2, 0), 2);
}

int main(void) {
  for (int tcp = 0; tcp < 2; tcp++) {
    if (tcp)
      tcp_pair(pair);
    else
      CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    for (int i = 0; i < 3; i++) {
      send_all(0);
      struct pollfd urgent = {pair[0], POLLPRI, 0};
      CHECK_EQ(poll(&urgent, 1, 10000), 1);
      join(spawn(receiver, NULL));
      if (i == 1) CHECK_OK(fcntl(pair[0], F_SETFL, O_NONBLOCK));
    }
    CHECK_OK(fcntl(pair[0], F_SETFL, 0));
    pthread_t waiting = spawn(receiver, NULL);
    send_all(30);
    join(waiting);
  }
  printf("the mark was seen\n");
}
