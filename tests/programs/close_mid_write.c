// The number is closed and given to another file while a long write waits on it, in its middle or
// before its first byte: everything goes to the old file, nothing to the new one. The same of a
// receive that waits for all.
#include "net.h"

#include <sys/ioctl.h>

enum { kSize = 1 << 20, kWays = 5 };
static const char* const names[kWays] = {"write", "writev", "send", "sendmsg", "recv"};
static int fds[2], way;
static char data[kSize];
static _Atomic int calling;

static int waiting_bytes(int fd) {
  int bytes = 0;
  CHECK_OK(ioctl(fd, FIONREAD, &bytes));
  return bytes;
}

static void* call(void* unused) {
  struct iovec v = {data, kSize};
  struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
  calling = 1;
  switch (way) {
    case 0: return (void*)write(fds[1], data, kSize);
    case 1: return (void*)writev(fds[1], &v, 1);
    case 2: return (void*)send(fds[1], data, kSize, 0);
    case 3: return (void*)sendmsg(fds[1], &m, 0);
    default: return (void*)recv(fds[1], data, 8, MSG_WAITALL);
  }
}

// From the first byte on the kernel takes no more.
static void fill(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  CHECK_OK(fcntl(fd, F_SETFL, flags | O_NONBLOCK));
  while (write(fd, data, 4096) > 0) continue;
  CHECK_OK(fcntl(fd, F_SETFL, flags));
}

static void run(int kind, int full) {
  int other[2];
  if (kind == 0) CHECK_OK(pipe(fds));
  if (kind == 1) CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
  if (kind == 2) tcp_pair(fds);
  CHECK_OK(pipe(other));
  if (full && way < 4) fill(fds[1]);
  const int before = waiting_bytes(fds[0]);
  const int number = fds[1], receives = way == 4;
  if (receives) CHECK_EQ(write(fds[0], "abcd", 4), 4);
  calling = 0;
  pthread_t thread = spawn(call, NULL);
  AWAIT(calling);
  if (!full || receives)
    AWAIT(receives ? waiting_bytes(number) == 0 : waiting_bytes(fds[0]) > before);
  sleep_ms(full ? 100 : 30);
  CHECK_EQ(dup2(other[receives ? 0 : 1], number), number);
  static char got[65536];
  size_t sum = 0, all = (size_t)before + kSize;
  if (receives) {
    CHECK_EQ(write(other[1], "WRONG", 5), 5);
    CHECK_EQ(write(fds[0], "efgh", 4), 4);
    CHECK_EQ((long)join(thread), 8);
    CHECK(memcmp(data, "abcdefgh", 8) == 0);
    CHECK_EQ(waiting_bytes(other[0]), 5);
  } else {
    while (sum < all) {
      const ssize_t n = read(fds[0], got, sizeof got);
      CHECK(n > 0);
      sum += (size_t)n;
    }
    CHECK_EQ((long)join(thread), kSize);
    CHECK_EQ(waiting_bytes(other[0]), 0);
  }
  close(fds[0]), close(fds[1]), close(other[0]), close(other[1]);
}

int main(void) {
  for (way = 0; way < kWays; way++) {
    for (int kind = way < 2 ? 0 : 1; kind < 3; kind++)
      for (int full = 0; full < 2; full++) run(kind, full);
    printf("%s went on\n", names[way]);
  }
}
