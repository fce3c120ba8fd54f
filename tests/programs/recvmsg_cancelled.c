// A thread that is cancelled, or jumps away in a handler, while recvmsg waits for the rest of a
// message (MSG_WAITALL) leaves nothing behind: the close of the socket then is its end.
#include "check.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/socket.h>

static int fds[2];
static sigjmp_buf before;

static void jump(int sig) { siglongjmp(before, sig); }

static void receive(void) {
  char text[16];
  struct iovec v = {text, sizeof text};
  struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
  recvmsg(fds[0], &m, MSG_WAITALL);
}

static void* receive_until_cancelled(void* unused) {
  receive();
  pause();
  return unused;
}

static void* receive_until_jump(void* unused) {
  if (!sigsetjmp(before, 1)) receive();
  return unused;
}

static void try(void* (*body)(void*), int cancels) {
  CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
  pthread_t thread;
  CHECK_OK(pthread_create(&thread, NULL, body, NULL));
  CHECK_EQ(write(fds[1], "x", 1), 1);
  sleep_ms(20);
  CHECK_OK(cancels ? pthread_cancel(thread) : pthread_kill(thread, SIGUSR1));
  void* result;
  CHECK_OK(pthread_join(thread, &result));
  CHECK_EQ(result == PTHREAD_CANCELED, cancels);
  CHECK_OK(close(fds[0]));
  struct pollfd p = {fds[1], POLLIN, 0};
  CHECK_EQ(poll(&p, 1, 5000), 1);
  CHECK(p.revents & POLLHUP);
  CHECK_OK(close(fds[1]));
}

int main(void) {
  CHECK(signal(SIGUSR1, jump) != SIG_ERR);
  for (int i = 0; i < 5; ++i) {
    try(receive_until_cancelled, 1);
    try(receive_until_jump, 0);
  }
  return 0;
}
