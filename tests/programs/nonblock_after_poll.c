// What poll, select or epoll_wait reported as readable can be read at once from a non-blocking
// socket, also by a thread that never waits: after a read that came back short, too.
#include "net.h"

#include <sys/epoll.h>
#include <sys/select.h>

static void ask(int fd, int how) {
  struct pollfd p = {fd, POLLIN, 0};
  struct epoll_event event = {.events = EPOLLIN};
  fd_set set;
  switch (how) {
    case 0: CHECK_EQ(poll(&p, 1, 5000), 1); break;
    case 1:
      FD_ZERO(&set);
      FD_SET(fd, &set);
      CHECK_EQ(select(fd + 1, &set, NULL, NULL, NULL), 1);
      break;
    default: {
      int epoll = epoll_create1(0);
      CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
      CHECK_EQ(epoll_wait(epoll, &event, 1, 5000), 1);
      CHECK_OK(close(epoll));
    }
  }
}

static void* body(void* unused) {
  char buffer[64];
  int pair[2];
  tcp_pair(pair);
  struct pollfd empty = {pair[0], POLLIN, 0};
  CHECK_EQ(poll(&empty, 1, 2), 0);  // waits, so that whoever watches the socket begins now
  CHECK_OK(fcntl(pair[0], F_SETFL, O_NONBLOCK));
  for (int round = 0; round < 300; round++) {
    CHECK_EQ(write(pair[1], "data", 4), 4);
    ask(pair[0], round % 3);
    CHECK_EQ(recv(pair[0], buffer, sizeof buffer, 0), 4);
  }
  CHECK_OK(close(pair[0]));
  CHECK_OK(close(pair[1]));
  return unused;
}

int main(void) {
  join(spawn(body, NULL));
  puts("ok");
  return 0;
}
