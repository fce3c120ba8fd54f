// A time stamp of something sent lies in the socket's error queue, and poll(2) says POLLERR:
// receives go on as if it were not there, until somebody takes it.
#include "net.h"

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>

static int pair[2];

static void* sender(void* unused) {
  for (int i = 0; i < 2; i++) {
    sleep_ms(20);
    CHECK_EQ(send(pair[1], "abc", 3, 0), 3);
  }
  return unused;
}

static void receive_two(void) {
  char texts[2][4];
  struct iovec iovs[2] = {{texts[0], 4}, {texts[1], 4}};
  struct mmsghdr messages[2] = {0};
  for (int i = 0; i < 2; i++)
    messages[i].msg_hdr = (struct msghdr){.msg_iov = &iovs[i], .msg_iovlen = 1};
  pthread_t thread = spawn(sender, NULL);
  CHECK_EQ(recvmmsg(pair[0], messages, 2, 0, NULL), 2);
  for (int i = 0; i < 2; i++) CHECK_EQ(messages[i].msg_len, 3);
  join(thread);
  thread = spawn(sender, NULL);
  for (int i = 0; i < 2; i++) CHECK_EQ(recv(pair[0], texts[0], 4, MSG_WAITALL), 3);
  join(thread);
}

int main(void) {
  for (int i = 0; i < 2; i++) pair[i] = bound_socket(SOCK_DGRAM);
  for (int i = 0; i < 2; i++) {
    struct sockaddr_in other = loopback(port_of(pair[!i]));
    CHECK_OK(connect(pair[i], (struct sockaddr*)&other, sizeof other));
  }
  int wanted = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
  CHECK_OK(setsockopt(pair[0], SOL_SOCKET, SO_TIMESTAMPING, &wanted, sizeof wanted));
  CHECK_EQ(send(pair[0], "x", 1, 0), 1);
  CHECK_EQ(recv(pair[1], (char[1]){0}, 1, 0), 1);
  struct pollfd p = {pair[0], 0, 0};
  CHECK_EQ(poll(&p, 1, 10000), 1);
  CHECK_EQ(p.revents, POLLERR);
  receive_two();
  char control[256];
  struct msghdr entry = {.msg_control = control, .msg_controllen = sizeof control};
  CHECK(recvmsg(pair[0], &entry, MSG_ERRQUEUE) >= 0);
  CHECK_EQ(poll(&p, 1, 0), 0);
  receive_two();
  puts("two each time");
}
