// A socket's time-out counts from where the call began, also if a signal from another process,
// which is for another thread, comes in the middle.
#include "net.h"
#include "shared.h"

#include <signal.h>

enum { CALLS = 9, TIMEOUT_MS = 200, SIGNAL_MS = 150, TRIES = 5 };

static int64_t* sent;  // when, in shared memory
static int done, pair[2], listener;

static void handler(int sig) { (void)sig; }

static void* takes_signals(void* unused) {
  sigset_t none;
  sigemptyset(&none);
  CHECK_OK(pthread_sigmask(SIG_SETMASK, &none, NULL));
  while (!__atomic_load_n(&done, __ATOMIC_SEQ_CST)) sleep_ms(5);
  return unused;
}

static pid_t signal_later(void) {
  pid_t parent = getpid(), child = fork();
  CHECK(child >= 0);
  if (child) return child;
  sleep_ms(SIGNAL_MS);
  __atomic_store_n(sent, now_ns(CLOCK_MONOTONIC), __ATOMIC_SEQ_CST);
  _exit(kill(parent, SIGUSR1));
}

static long block(int call) {
  static char bytes[1 << 20];
  char small[1];
  struct iovec iov = {small, 1}, big = {bytes, sizeof bytes};
  struct msghdr in = {.msg_iov = &iov, .msg_iovlen = 1}, out = {.msg_iov = &big, .msg_iovlen = 1};
  struct mmsghdr several = {in, 0};
  switch (call) {
    case 0: return recv(pair[0], small, 1, 0);
    case 1: return read(pair[0], small, 1);
    case 2: return readv(pair[0], &iov, 1);
    case 3: return recvmsg(pair[0], &in, 0);
    case 4: return recvmmsg(pair[0], &several, 1, 0, NULL);
    case 5: return accept(listener, NULL, NULL);
    case 6: return send(pair[0], bytes, sizeof bytes, 0);
    case 7: return write(pair[0], bytes, sizeof bytes);
  }
  return sendmsg(pair[0], &out, 0);
}

// False: so late that it proves nothing, but another try may.
static int ends_in_time(int call) {
  *sent = 0;
  pid_t child = signal_later();
  int64_t start = now_ns(CLOCK_MONOTONIC);
  CHECK_ERRNO(block(call), EAGAIN);
  int64_t end = now_ns(CLOCK_MONOTONIC);
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
  CHECK(end - start >= TIMEOUT_MS * MS);
  return *sent > start && *sent < end && end - *sent < TIMEOUT_MS * MS;
}

static void set_timeout(int fd, int option) {
  struct timeval timeout = {0, TIMEOUT_MS * 1000};
  CHECK_OK(setsockopt(fd, SOL_SOCKET, option, &timeout, sizeof timeout));
}

int main(void) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
  CHECK_OK(sigaction(SIGUSR1, &action, NULL));
  sent = map_shared(-1, sizeof *sent);
  CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  set_timeout(pair[0], SO_RCVTIMEO);
  set_timeout(pair[0], SO_SNDTIMEO);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  CHECK_OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
  listener = tcp_listen(1);
  set_timeout(listener, SO_RCVTIMEO);
  pthread_t takes = spawn(takes_signals, NULL);
  static char filling[1 << 16];
  while (send(pair[0], filling, sizeof filling, MSG_DONTWAIT) > 0) {
  }
  for (int call = 0; call < CALLS; call++)
    for (int tries = 1; !ends_in_time(call); tries++) CHECK(tries < TRIES);
  __atomic_store_n(&done, 1, __ATOMIC_SEQ_CST);
  join(takes);
  puts("in time");
}
