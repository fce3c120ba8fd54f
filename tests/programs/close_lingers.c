// A close that waits in the kernel, for data that the peer does not read, holds up nobody else.
#include "check.h"
#include "net.h"

static volatile int closing, closed;

static void* closer(void* argument) {
  closing = 1;
  close(*(int*)argument);
  closed = 1;
  return argument;
}

static void* nothing(void* argument) { return argument; }

int main(void) {
  int pair[2];
  tcp_pair(pair);
  static char bytes[1 << 16];
  while (send(pair[0], bytes, sizeof bytes, MSG_DONTWAIT) > 0) {
  }
  CHECK_EQ(errno, EAGAIN);
  struct linger two_seconds = {1, 2};
  CHECK_OK(setsockopt(pair[0], SOL_SOCKET, SO_LINGER, &two_seconds, sizeof two_seconds));
  pthread_t thread = spawn(closer, &pair[0]);
  AWAIT(closing);
  for (int i = 0; i < 20; i++) {
    join(spawn(nothing, NULL));
    sleep_ms(1);
  }
  CHECK(!closed);  // Native speed is 30 ms; the close takes two seconds.
  join(thread);
  puts("others went on");
}
