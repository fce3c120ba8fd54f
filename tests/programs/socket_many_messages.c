// sendmmsg and recvmmsg: counts, lengths, MSG_WAITFORONE, a full batch that waits for the last one,
// what a timeout does, and which error comes first.
#include "net.h"

enum { BATCH = 8 };
static int pair[2];
static char texts[BATCH][16];

static void prepare(struct mmsghdr* messages, struct iovec* iovs, int size) {
  memset(messages, 0, BATCH * sizeof *messages);
  for (int i = 0; i < BATCH; i++) {
    iovs[i] = (struct iovec){texts[i], (size_t)(size ? size : i + 1)};
    messages[i].msg_hdr.msg_iov = &iovs[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
}

static void* sender(void* unused) {
  struct mmsghdr messages[BATCH];
  struct iovec iovs[BATCH];
  prepare(messages, iovs, 0);
  CHECK_EQ(sendmmsg(pair[1], messages, BATCH / 2, 0), BATCH / 2);
  sleep_ms(20);
  CHECK_EQ(sendmmsg(pair[1], messages + BATCH / 2, BATCH / 2, 0), BATCH / 2);
  for (int i = 0; i < BATCH; i++) CHECK_EQ(messages[i].msg_len, i + 1);
  return unused;
}

static void* receiver(void* unused) {
  struct mmsghdr messages[BATCH];
  struct iovec iovs[BATCH];
  prepare(messages, iovs, 16);
  CHECK_ERRNO(recvmmsg(pair[0], messages, BATCH, MSG_DONTWAIT, NULL), EAGAIN);
  pthread_t thread = spawn(sender, NULL);
  CHECK_EQ(recvmmsg(pair[0], messages, BATCH, 0, NULL), BATCH);  // Waits for all.
  for (int i = 0; i < BATCH; i++) CHECK_EQ(messages[i].msg_len, i + 1);
  join(thread);

  thread = spawn(sender, NULL);
  for (int got = 0; got < BATCH;) {
    int now = recvmmsg(pair[0], messages, BATCH, MSG_WAITFORONE, NULL);
    CHECK(now >= 1 && now <= BATCH - got);
    for (int i = 0; i < now; i++) CHECK_EQ(messages[i].msg_len, got + i + 1);
    got += now;
  }
  join(thread);

  // The timeout is looked at after each datagram only, so one is taken.
  CHECK_EQ(send(pair[1], "one", 3, 0), 3);
  struct timespec zero = {0, 0};
  CHECK_EQ(recvmmsg(pair[0], messages, BATCH, 0, &zero), 1);
  CHECK_EQ(messages[0].msg_len, 3);
  CHECK_EQ(send(pair[1], "one", 3, 0), 3);
  CHECK_EQ(send(pair[1], "two", 3, 0), 3);
  struct timespec second = {1, 0};
  CHECK_EQ(recvmmsg(pair[0], messages, BATCH, MSG_WAITFORONE, &second), 2);
  CHECK(second.tv_sec == 0 && second.tv_nsec > 0);
  struct timespec bad = {0, SECOND};
  CHECK_ERRNO(recvmmsg(pair[0], messages, BATCH, 0, &bad), EINVAL);

  // The socket's own error is told before the messages are looked at, an error of a later one by
  // the next call.
  struct mmsghdr* nowhere = NULL;
  int refused = socket(AF_INET, SOCK_DGRAM, 0), gone = bound_socket(SOCK_DGRAM);
  struct sockaddr_in address = loopback(port_of(gone));
  CHECK_OK(close(gone));
  CHECK_OK(connect(refused, (struct sockaddr*)&address, sizeof address));
  CHECK_EQ(send(refused, "x", 1, 0), 1);
  CHECK_ERRNO(recvmmsg(refused, nowhere, 1, 0, NULL), ECONNREFUSED);
  CHECK_EQ(recvmmsg(refused, nowhere, 0, 0, NULL), 0);
  CHECK_EQ(send(pair[1], "one", 3, 0), 3);
  CHECK_EQ(send(pair[1], "two", 3, 0), 3);
  messages[1].msg_hdr.msg_iov = (struct iovec*)1;
  CHECK_EQ(recvmmsg(pair[0], messages, BATCH, 0, NULL), 1);
  CHECK_ERRNO(recv(pair[0], texts[0], sizeof texts[0], 0), EFAULT);
  CHECK_EQ(recv(pair[0], texts[0], sizeof texts[0], 0), 3);
  return unused;
}

int main(void) {
  CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
  join(spawn(receiver, NULL));
  printf("batches of %d\n", BATCH);
}
