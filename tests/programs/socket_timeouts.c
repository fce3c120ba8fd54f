// SO_RCVTIMEO and SO_SNDTIMEO: EAGAIN no earlier than asked, data in time is delivered, accept and
// send heed them too, and the options read back.
#include "net.h"

static void set(int fd, int option, int ms) {
  struct timeval t = {ms / 1000, ms % 1000 * 1000}, back;
  socklen_t size = sizeof back;
  CHECK_OK(setsockopt(fd, SOL_SOCKET, option, &t, sizeof t));
  CHECK_OK(getsockopt(fd, SOL_SOCKET, option, &back, &size));
  CHECK(back.tv_sec == t.tv_sec && back.tv_usec >= t.tv_usec);
}

#define EXPECT_TIMEOUT(call)                               \
  do {                                                     \
    int64_t start_ = now_ns(CLOCK_MONOTONIC);              \
    CHECK_ERRNO(call, EAGAIN);                             \
    CHECK(now_ns(CLOCK_MONOTONIC) - start_ >= 30 * MS);    \
    CHECK(now_ns(CLOCK_MONOTONIC) - start_ < 10 * SECOND); \
  } while (0)

static void* send_later(void* fd) {
  sleep_ms(10);
  CHECK_EQ(send((int)(intptr_t)fd, "late", 4, 0), 4);
  return NULL;
}

static void* body(void* kind) {
  int pair[2];
  char bytes[16];
  static char big[1 << 20];
  if (kind)
    tcp_pair(pair);
  else
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  set(pair[0], SO_RCVTIMEO, 30);
  EXPECT_TIMEOUT(recv(pair[0], bytes, 1, 0));
  EXPECT_TIMEOUT(read(pair[0], bytes, 1));
  struct iovec iov = {bytes, sizeof bytes};
  struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
  EXPECT_TIMEOUT(recvmsg(pair[0], &message, 0));
  set(pair[0], SO_RCVTIMEO, 20000);
  pthread_t thread = spawn(send_later, (void*)(intptr_t)pair[1]);
  CHECK_EQ(recv(pair[0], bytes, sizeof bytes, 0), 4);
  join(thread);
  set(pair[0], SO_SNDTIMEO, 30);
  int64_t start;
  ssize_t sent;
  do {  // A full buffer ends it.
    start = now_ns(CLOCK_MONOTONIC);
    sent = send(pair[0], big, sizeof big, 0);
  } while (sent > 0);
  CHECK_EQ(errno, EAGAIN);
  CHECK(now_ns(CLOCK_MONOTONIC) - start >= 30 * MS);
  int listener = tcp_listen(1);
  set(listener, SO_RCVTIMEO, 30);
  EXPECT_TIMEOUT(accept(listener, NULL, NULL));
  CHECK_OK(close(listener));
  CHECK_OK(close(pair[0]));
  CHECK_OK(close(pair[1]));
  return NULL;
}

int main(void) {
  pthread_t threads[6];
  for (intptr_t i = 0; i < 6; i++) threads[i] = spawn(body, (void*)(i % 2));
  for (int i = 0; i < 6; i++) join(threads[i]);
  printf("timed out on time\n");
}
