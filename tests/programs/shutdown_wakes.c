// shutdown by another thread ends a blocked recv, accept and poll; a closed peer gives EPIPE.
#include "net.h"

#include <signal.h>

static int pair[2], listener;

static void* blocked_recv(void* unused) {
  char byte;
  CHECK_EQ(recv(pair[0], &byte, 1, 0), 0);
  return unused;
}

static void* blocked_accept(void* unused) {
  CHECK_ERRNO(accept(listener, NULL, NULL), EINVAL);
  return unused;
}

static void* blocked_poll(void* unused) {
  struct pollfd p = {pair[0], POLLIN | POLLRDHUP, 0};
  CHECK_EQ(poll(&p, 1, 20000), 1);
  CHECK(p.revents & (POLLHUP | POLLRDHUP));
  return unused;
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  for (int i = 0; i < 20; i++) {
    if (i % 2)
      tcp_pair(pair);
    else
      CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    listener = tcp_listen(1);
    pthread_t threads[] = {spawn(blocked_recv, NULL), spawn(blocked_recv, NULL),
                           spawn(blocked_accept, NULL), spawn(blocked_poll, NULL)};
    if (i % 3) sleep_ms(2);
    int end = pair[i % 4 < 2 ? 0 : 1];
    CHECK_OK(shutdown(end, SHUT_RDWR));
    CHECK_OK(shutdown(listener, SHUT_RDWR));
    for (int t = 0; t < 4; t++) join(threads[t]);
    CHECK_ERRNO(send(end, "x", 1, 0), EPIPE);
    CHECK_OK(close(pair[0]));
    CHECK_OK(close(pair[1]));
    CHECK_OK(close(listener));
  }
  CHECK_OK(pipe(pair));
  CHECK_OK(close(pair[0]));
  CHECK_ERRNO(write(pair[1], "x", 1), EPIPE);
  printf("woken by shutdown\n");
}
