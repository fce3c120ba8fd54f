// A transfer that waits in the kernel is not cut short by signals that are for another thread: a
// blocking write writes all, MSG_WAITALL waits for all, sendfile(2) and its kin move all. One that
// is for the thread ends it with a part. And what stops by itself is not taken further.
#include "net.h"
#include "signal_taker.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <sys/wait.h>

enum {
  SENDERS = 2,
  SIZE = 512 << 10,
  PIECE = 8 << 10,
  PARTS = 5,
  CALLS = 14,
  MESSAGES = 40,
  TURNS = 300
};

static int ends[2], other[2], source, target, call;
static unsigned char sent[SIZE], got[SIZE];
static ssize_t expected;

static void handler(int sig) { (void)sig; }

// Vectors whose parts are of different lengths, one of them empty.
static void cut_up(unsigned char* bytes, struct iovec* parts) {
  size_t at = 0;
  for (int i = 0; i < PARTS; i++) {
    size_t length = i == 2 ? 0 : i == PARTS - 1 ? SIZE - at : SIZE / (PARTS + (size_t)i);
    parts[i] = (struct iovec){bytes + at, length};
    at += length;
  }
}

static int receives(void) { return call >= 9 && call <= 11; }
static int by_tcp(void) { return call == 3 || call == 4 || call == 10; }

static ssize_t in_messages(int receive) {
  static struct mmsghdr messages[MESSAGES];
  static struct iovec parts[MESSAGES];
  size_t length = SIZE / MESSAGES, whole = 0;
  for (int i = 0; i < MESSAGES; i++) {
    parts[i] = (struct iovec){(receive ? got : sent) + (size_t)i * length, length};
    if (i == MESSAGES - 1) parts[i].iov_len = SIZE - (size_t)i * length;
    messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[i], .msg_iovlen = 1}};
  }
  int done = receive ? recvmmsg(ends[1], messages, MESSAGES, 0, NULL)
                     : sendmmsg(ends[1], messages, MESSAGES, 0);
  if (done != MESSAGES) CHECK_FAIL("%d messages", done);
  for (int i = 0; i < done; i++) whole += messages[i].msg_len;
  return (ssize_t)whole;
}

static void* transfer(void* unused) {
  struct iovec out[PARTS], in[PARTS];
  cut_up(sent, out);
  cut_up(got, in);
  struct msghdr to = {.msg_iov = out, .msg_iovlen = PARTS};
  struct msghdr from = {.msg_iov = in, .msg_iovlen = PARTS};
  off_t at = 0;
  ssize_t result;
  switch (call) {
    case 0: result = write(ends[1], sent, SIZE); break;
    case 1: result = writev(ends[1], out, PARTS); break;
    case 2: result = send(ends[1], sent, SIZE, 0); break;
    case 3: result = writev(ends[1], out, PARTS); break;
    case 4: result = sendmsg(ends[1], &to, 0); break;
    case 5: result = sendfile(ends[1], source, NULL, SIZE); break;
    case 6: result = sendfile(ends[1], source, &at, SIZE); break;
    case 7: result = splice(other[0], NULL, ends[1], NULL, SIZE, 0); break;
    case 8: result = in_messages(0); break;
    case 9: result = recv(ends[1], got, SIZE, MSG_WAITALL); break;
    case 10: result = recvmsg(ends[1], &from, MSG_WAITALL); break;
    case 11: result = in_messages(1); break;
    case 12: result = copy_file_range(source, &at, target, NULL, SIZE, 0); break;
    default: result = getrandom(got, SIZE, 0);
  }
  if (result != expected) CHECK_FAIL("call %d: %zd of %zd", call, result, expected);
  return unused;
}

static void move_slowly(unsigned char* bytes, size_t size) {
  for (size_t done = 0; done < size;) {
    size_t most = call == 11 ? SIZE / MESSAGES : PIECE;
    size_t piece = size - done < 2 * most ? size - done : most;
    ssize_t n =
        receives() ? write(ends[0], bytes + done, piece) : read(ends[0], bytes + done, piece);
    if (n <= 0) CHECK_FAIL("call %d: %zd of its peer's after %zu", call, n, done);
    done += (size_t)n;
    if (done % (4 * most) < most) sleep_ms(1);
  }
}

static void* peer(void* unused) {
  if (call < 12) move_slowly(receives() ? sent : got, (size_t)expected);
  return unused;
}

static void open_ends(void) {
  if (by_tcp()) {
    int listener = tcp_listen(1);
    ends[1] = tcp_connect(port_of(listener));
    ends[0] = accept(listener, NULL, NULL);
    CHECK_OK(close(listener));
  } else if (call < 2) {
    CHECK_OK(pipe(ends));
  } else {
    CHECK_OK(socketpair(AF_UNIX, call == 11 ? SOCK_SEQPACKET : SOCK_STREAM, 0, ends));
  }
}

static void check_call(int by_main) {
  open_ends();
  memset(got, 0, SIZE);
  expected = SIZE;
  CHECK_EQ(lseek(source, 0, SEEK_SET), 0);
  if (call == 7) {
    CHECK_OK(pipe(other));
    expected = fcntl(other[1], F_SETPIPE_SZ, SIZE);
    CHECK_EQ(write(other[1], sent, (size_t)expected), expected);
  }
  pthread_t thread = spawn(by_main ? peer : transfer, NULL);
  (by_main ? transfer : peer)(NULL);
  join(thread);
  if (call == 12) CHECK_EQ(pread(target, got, SIZE, 0), SIZE);
  if (call < 13) CHECK(memcmp(sent, got, (size_t)expected) == 0);
  for (int i = 0; i < 2; i++) {
    CHECK_OK(close(ends[i]));
    if (call == 7) CHECK_OK(close(other[i]));
  }
}

static void* write_until_signal(void* unused) {
  struct iovec parts[PARTS];
  cut_up(sent, parts);
  expected = writev(ends[1], parts, PARTS);
  return unused;
}

static void check_own_signal(void) {
  CHECK_OK(pipe(ends));
  int size = fcntl(ends[1], F_GETPIPE_SZ), there = 0;
  pthread_t thread = spawn(write_until_signal, NULL);
  while (there < size - 4096) {
    CHECK_OK(ioctl(ends[0], FIONREAD, &there));
    sleep_ms(1);
  }
  sleep_ms(20);
  CHECK_OK(pthread_kill(thread, SIGUSR2));
  join(thread);
  CHECK_OK(ioctl(ends[0], FIONREAD, &there));
  CHECK_EQ(expected, there);
  for (int i = 0; i < 2; i++) CHECK_OK(close(ends[i]));
}

// With one thread at both ends, a call that went on would wait for ever.
static void check_full_pipe(void) {
  CHECK_OK(pipe(ends));
  int size = fcntl(ends[1], F_GETPIPE_SZ);
  for (int i = 0; i < TURNS; i++) {
    off_t at = 0;
    ssize_t moved = sendfile(ends[1], source, &at, SIZE);
    CHECK(moved > 0 && moved <= size);
    CHECK_EQ(at, moved);
    CHECK_EQ(read_all(ends[0], got, (size_t)moved), (size_t)moved);
    CHECK(memcmp(sent, got, (size_t)moved) == 0);
  }
  CHECK_OK(fcntl(ends[1], F_SETFL, O_NONBLOCK));
  for (int i = 0; i < TURNS; i++) {
    CHECK_EQ(write(ends[1], sent, SIZE), size);
    CHECK_EQ(read_all(ends[0], got, (size_t)size), (size_t)size);
  }
  for (int i = 0; i < 2; i++) CHECK_OK(close(ends[i]));
}

// At the limit of a file's size a write stops; only the next raises SIGXFSZ.
static void check_limited_file(void) {
  struct rlimit whole, half;
  CHECK_OK(getrlimit(RLIMIT_FSIZE, &whole));
  half = (struct rlimit){SIZE / 2, whole.rlim_max};
  CHECK_OK(setrlimit(RLIMIT_FSIZE, &half));
  char name[] = "/tmp/transfer_whole.XXXXXX";  // not in memory, which has no such limit
  int file = mkstemp(name);
  CHECK(file >= 0);
  CHECK_OK(unlink(name));
  for (int i = 0; i < TURNS; i++) {
    CHECK_EQ(pwrite(file, sent, SIZE, 0), SIZE / 2);
    CHECK_EQ(lseek(file, 0, SEEK_SET), 0);
    CHECK_EQ(write(file, sent, SIZE), SIZE / 2);
  }
  CHECK_OK(close(file));
  CHECK_OK(setrlimit(RLIMIT_FSIZE, &whole));
}

// Descriptors go with the first byte, once.
static void* send_descriptor(void* unused) {
  struct iovec part = {sent, SIZE};
  char control[CMSG_SPACE(sizeof(int))] = {0};
  struct msghdr to = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  *CMSG_FIRSTHDR(&to) = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
  memcpy(CMSG_DATA(CMSG_FIRSTHDR(&to)), &source, sizeof(int));
  CHECK_EQ(sendmsg(ends[1], &to, 0), SIZE);
  return unused;
}

static void check_descriptor(void) {
  CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
  pthread_t thread = spawn(send_descriptor, NULL);
  int came = 0;
  for (size_t done = 0; done < SIZE;) {
    struct iovec part = {got + done, PIECE};
    char control[CMSG_SPACE(sizeof(int))] = {0};
    struct msghdr from = {.msg_iov = &part,
                          .msg_iovlen = 1,
                          .msg_control = control,
                          .msg_controllen = sizeof control};
    ssize_t n = recvmsg(ends[0], &from, 0);
    CHECK(n > 0);
    done += (size_t)n;
    for (struct cmsghdr* c = CMSG_FIRSTHDR(&from); c; c = CMSG_NXTHDR(&from, c)) {
      int descriptor;
      memcpy(&descriptor, CMSG_DATA(c), sizeof descriptor);
      CHECK_OK(close(descriptor));
      came++;
    }
    if (done % (4 * PIECE) < PIECE) sleep_ms(1);
  }
  join(thread);
  CHECK_EQ(came, 1);
  CHECK(memcmp(sent, got, SIZE) == 0);
  for (int i = 0; i < 2; i++) CHECK_OK(close(ends[i]));
}

int main(int argc, char** argv) {
  int first = arg_or(argc, argv, 1, 0), last = argc > 1 ? first : CALLS - 1;
  CHECK_OK(
      sigaction(SIGUSR1, &(struct sigaction){.sa_handler = handler, .sa_flags = SA_RESTART}, NULL));
  CHECK_OK(
      sigaction(SIGUSR2, &(struct sigaction){.sa_handler = handler, .sa_flags = SA_RESTART}, NULL));
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  CHECK_OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
  for (size_t i = 0; i < SIZE; i++) sent[i] = (unsigned char)(i * 7 + i / 251);
  source = memfd_create("source", 0);
  target = memfd_create("target", 0);
  CHECK_EQ(write(source, sent, SIZE), SIZE);
  pthread_t takers[2] = {spawn(take_signals, NULL), spawn(take_signals, NULL)};
  pid_t parent = getpid(), senders[SENDERS];
  for (int i = 0; i < SENDERS; i++) {
    senders[i] = fork();
    CHECK(senders[i] >= 0);
    while (!senders[i]) {
      if (kill(parent, SIGUSR1) || getppid() != parent) _exit(0);
      usleep(20);
    }
  }
  for (call = first; call <= last; call++) {
    check_call(0);
    check_call(1);
  }
  check_own_signal();
  check_full_pipe();
  check_limited_file();
  check_descriptor();
  for (int i = 0; i < SENDERS; i++) {
    CHECK_OK(kill(senders[i], SIGKILL));
    CHECK_EQ(waitpid(senders[i], NULL, 0), senders[i]);
  }
  end_signal_taker(takers[0]);
  join(takers[1]);
  puts("whole");
}
