// The time-out of a socket, a semaphore, aio or io_uring counts from where the call began, also if
// a signal from another process, which is for another thread, comes in the middle.
#include "net.h"
#include "shared.h"
#include "signal_taker.h"

#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <sys/sem.h>
#include <sys/syscall.h>

enum { CALLS = 13, TIMEOUT_MS = 200, SIGNAL_MS = 150, TRIES = 5 };

static int64_t* sent;  // when, in shared memory
static int pair[2], listener, full, semaphore;
static int ring;
static aio_context_t aio;

static void handler(int sig) { (void)sig; }

static pid_t signal_later(void) {
  pid_t parent = getpid(), child = fork();
  CHECK(child >= 0);
  if (child) return child;
  sleep_ms(SIGNAL_MS);
  __atomic_store_n(sent, now_ns(CLOCK_MONOTONIC), __ATOMIC_SEQ_CST);
  _exit(kill(parent, SIGUSR1));
}

static void set_timeout(int fd, int option) {
  struct timeval timeout = {0, TIMEOUT_MS * 1000};
  CHECK_OK(setsockopt(fd, SOL_SOCKET, option, &timeout, sizeof timeout));
}

static int late(long result, int error) { return result == -1 && errno == error; }

// A backlog that is full already.
static int connect_to_full(void) {
  struct sockaddr_in address = loopback(port_of(full));
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  set_timeout(fd, SO_SNDTIMEO);
  int ended = late(connect(fd, (struct sockaddr*)&address, sizeof address), EINPROGRESS);
  CHECK_OK(close(fd));
  return ended;
}

// Whether it ended as one that is out of time.
static int block(int call) {
  static char bytes[1 << 20];
  char small[1];
  struct iovec iov = {small, 1}, big = {bytes, sizeof bytes};
  struct msghdr in = {.msg_iov = &iov, .msg_iovlen = 1}, out = {.msg_iov = &big, .msg_iovlen = 1};
  struct mmsghdr several = {in, 0};
  struct sembuf down = {0, -1, 0};
  struct timespec timeout = to_timespec(TIMEOUT_MS * MS);
  struct io_event event;
  struct __kernel_timespec ring_timeout = {0, TIMEOUT_MS * MS};
  struct io_uring_getevents_arg wait = {.ts = (uintptr_t)&ring_timeout};
  int how = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;
  switch (call) {
    case 0: return late(recv(pair[0], small, 1, 0), EAGAIN);
    case 1: return late(read(pair[0], small, 1), EAGAIN);
    case 2: return late(readv(pair[0], &iov, 1), EAGAIN);
    case 3: return late(recvmsg(pair[0], &in, 0), EAGAIN);
    case 4: return late(recvmmsg(pair[0], &several, 1, 0, NULL), EAGAIN);
    case 5: return late(accept(listener, NULL, NULL), EAGAIN);
    case 6: return late(send(pair[0], bytes, sizeof bytes, 0), EAGAIN);
    case 7: return late(write(pair[0], bytes, sizeof bytes), EAGAIN);
    case 8: return late(sendmsg(pair[0], &out, 0), EAGAIN);
    case 9: return late(semtimedop(semaphore, &down, 1, &timeout), EAGAIN);
    case 10: return syscall(SYS_io_getevents, aio, 1, 1, &event, &timeout) == 0;
    case 11: return late(syscall(SYS_io_uring_enter, ring, 0, 1, how, &wait, sizeof wait), ETIME);
  }
  return connect_to_full();
}

// False: so late that it proves nothing, but another try may.
static int ends_in_time(int call) {
  *sent = 0;
  pid_t child = signal_later();
  int64_t start = now_ns(CLOCK_MONOTONIC);
  CHECK(block(call));
  int64_t end = now_ns(CLOCK_MONOTONIC);
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
  CHECK(end - start >= TIMEOUT_MS * MS);
  return *sent > start && *sent < end && end - *sent < TIMEOUT_MS * MS;
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
  full = tcp_listen(0);
  int first = tcp_connect(port_of(full));
  semaphore = semget(IPC_PRIVATE, 1, 0600);
  CHECK_OK(syscall(SYS_io_setup, 1, &aio));
  struct io_uring_params params = {0};
  ring = (int)syscall(SYS_io_uring_setup, 4, &params);
  CHECK(ring >= 0);
  pthread_t taker = spawn(take_signals, NULL);
  static char filling[1 << 16];
  while (send(pair[0], filling, sizeof filling, MSG_DONTWAIT) > 0) {
  }
  for (int call = 0; call < CALLS; call++)
    for (int tries = 1; !ends_in_time(call); tries++) CHECK(tries < TRIES);
  end_signal_taker(taker);
  CHECK_OK(semctl(semaphore, 0, IPC_RMID));
  CHECK_OK(close(first));
  puts("in time");
}
