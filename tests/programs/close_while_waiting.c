// A descriptor is closed, or replaced by dup2, while another thread waits on it. Nothing may hang
// that natively does not: the wait goes on with the old file, and its data still arrive.
#include "net.h"

static int fds[2], copy, about;

static void* reader(void* result) {
  char byte = 0;
  __atomic_store_n(&about, 1, __ATOMIC_SEQ_CST);
  CHECK_EQ(read(fds[0], &byte, 1), 1);
  *(char*)result = byte;
  return NULL;
}

static void* poller(void* unused) {
  struct pollfd p = {fds[0], POLLIN, 0};
  __atomic_store_n(&about, 1, __ATOMIC_SEQ_CST);
  CHECK_EQ(poll(&p, 1, 20000), 1);
  // The kernel looks the number up again when it is woken: POLLNVAL, or what is there now.
  CHECK(p.revents != 0);
  return unused;
}

int main(void) {
  for (int i = 0; i < 24; i++) {
    int polls = i % 2, replaces = i / 2 % 2;
    if (i % 3 == 0) CHECK_OK(pipe(fds));
    if (i % 3 == 1) CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    if (i % 3 == 2) tcp_pair(fds);
    copy = dup(fds[0]);  // Keeps the file itself alive.
    char got = 0;
    __atomic_store_n(&about, 0, __ATOMIC_SEQ_CST);
    pthread_t thread = polls ? spawn(poller, NULL) : spawn(reader, &got);
    AWAIT(__atomic_load_n(&about, __ATOMIC_SEQ_CST));
    sleep_ms(50);  // Nothing tells when it has begun to wait.
    if (replaces) {
      int other[2];
      CHECK_OK(pipe(other));
      CHECK_EQ(dup2(other[0], fds[0]), fds[0]);
      CHECK_OK(close(other[0]));
      CHECK_OK(close(other[1]));
    } else {
      CHECK_OK(close(fds[0]));
    }
    CHECK_EQ(pthread_tryjoin_np(thread, NULL), EBUSY);
    CHECK_EQ(write(fds[1], "w", 1), 1);
    join(thread);
    if (!polls) CHECK_EQ(got, 'w');
    if (replaces) CHECK_OK(close(fds[0]));
    CHECK_OK(close(copy));
    CHECK_OK(close(fds[1]));
  }
  printf("24 waits went on\n");
}
