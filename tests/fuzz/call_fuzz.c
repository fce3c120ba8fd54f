// Random sequences of system calls through libc, with wrong descriptors, pointers and sizes among
// them; the same seed makes the same sequence anywhere. Prints a line per sequence: seed and hash
// of all it saw (results, errno, data, SIGPIPEs), or each call with `verbose`.
//
//   call_fuzz FIRST_SEED COUNT [PATIENCE_MS [verbose]]
//
// The caller compares the lines of two runs. One thread makes the calls; a call in which it stays
// for PATIENCE_MS is interrupted by a signal, again and again, so that what blocks ends with EINTR.
// Only what answers at once is used: pipes, AF_UNIX, memory files and descriptors for events.
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include "tests/programs/net.h"

enum { kSlots = 14, kCallsPerSequence = 12, kRoom = 1 << 16 };

static uint64_t seed, random_state, hash;
static int slots[kSlots], verbose;
static char* room;       // kRoom bytes; what follows is not mapped
static char* read_only;  // a page
static _Atomic uint64_t calls_begun, calls_ended;
static volatile sig_atomic_t broken_pipes;

static uint32_t roll(uint32_t below) {
  random_state = random_state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)((random_state >> 33) % below);
}

static void note(const void* data, size_t size) {
  for (size_t i = 0; i < size; i++)
    hash = (hash ^ ((const unsigned char*)data)[i]) * 1099511628211u;
}

// A slot that is in use mostly; a number that nothing has sometimes.
static int some_fd(void) {
  static const int wrong[] = {-1, 900, 1 << 20, INT32_MAX, INT32_MIN};
  if (roll(12) == 0) return wrong[roll(5)];
  return slots[roll(kSlots)];
}

static size_t some_size(void) {
  static const size_t sizes[] = {0, 1, 7, 8, 9, 64, 4096, 4097, 20000, kRoom};
  if (roll(24) == 0) return roll(2) ? SIZE_MAX : (size_t)SSIZE_MAX;
  return sizes[roll(10)];
}

// Good for kRoom bytes mostly.
static void* some_room(void) {
  switch (roll(16)) {
    case 0: return NULL;
    case 1: return (void*)8;
    case 2: return room + kRoom - 5;  // ends too early
    case 3: return read_only;
    default: return room;
  }
}

static struct iovec* some_vector(int* count) {
  static struct iovec vector[4];
  for (int i = 0; i < 4; i++) {
    vector[i].iov_base = room + 4096 * i;
    vector[i].iov_len = (size_t[]){0, 1, 64, 4096}[roll(4)];
    if (roll(24) == 0) vector[i].iov_base = some_room();
    if (roll(40) == 0) vector[i].iov_len = SIZE_MAX;
  }
  *count = (int[]){1, 2, 4, 0, -1, 1025}[roll(12) < 9 ? roll(3) : roll(6)];
  return roll(24) ? vector : NULL;
}

static struct msghdr* some_message(void) {
  static struct msghdr message;
  memset(&message, 0, sizeof message);
  int count;
  message.msg_iov = some_vector(&count);
  message.msg_iovlen = (size_t)count;
  return roll(24) ? &message : NULL;
}

static int some_message_flags(void) {
  static const int flags[] = {MSG_DONTWAIT, MSG_PEEK,     MSG_WAITALL,  MSG_TRUNC,
                              MSG_OOB,      MSG_NOSIGNAL, MSG_DONTWAIT, MSG_DONTWAIT};
  int all = 0;
  while (roll(2)) all |= flags[roll(8)];
  return all;
}

static struct pollfd* some_polls(nfds_t* count) {
  static struct pollfd polls[6];
  for (int i = 0; i < 6; i++)
    polls[i] = (struct pollfd){some_fd(), (short)roll(64), (short)roll(64)};
  *count = roll(7);
  return roll(24) ? polls : NULL;
}

static void keep(int fd) {
  if (fd < 0) return;
  int* slot = &slots[roll(kSlots)];
  for (int i = 0; i < kSlots && *slot >= 0; i++) slot = &slots[i];
  if (*slot >= 0) close(*slot);
  *slot = fd;
}

static void keep_two(int result, const int pair[2]) {
  if (result != 0) return;
  note(pair, 2 * sizeof(int));
  keep(pair[0]);
  keep(pair[1]);
}

// One call: result and errno are noted, and shown when asked for.
static void saw(const char* name, long result) {
  int error = result < 0 ? errno : 0;
  calls_ended++;
  long pipes = broken_pipes;
  note(name, strlen(name));
  note(&result, sizeof result);
  note(&error, sizeof error);
  note(&pipes, sizeof pipes);
  if (verbose)
    printf("  %s = %ld%s%s, %ld SIGPIPEs\n", name, result, error ? " " : "",
           error ? strerrorname_np(error) : "", pipes);
}

// The result is r's, for who needs it.
#define CALL(name, call)         \
  do {                           \
    broken_pipes = 0;            \
    errno = 0;                   \
    calls_begun++;               \
    long result_ = (long)(call); \
    saw(name, result_);          \
    r = result_;                 \
    (void)r;                     \
  } while (0)

static void make_something(void) {
  int pair[2] = {-1, -1};
  int nonblocking = roll(3) == 0;
  long r;
  switch (roll(9)) {
    case 0:
    case 1:
      CALL("pipe2", pipe2(pair, nonblocking ? O_NONBLOCK : 0));
      keep_two((int)r, pair);
      break;
    case 2:
    case 3: {
      int type = (int[]){SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET}[roll(3)];
      CALL("socketpair", socketpair(AF_UNIX, type | (nonblocking ? SOCK_NONBLOCK : 0), 0, pair));
      keep_two((int)r, pair);
      break;
    }
    case 4:
      CALL("eventfd",
           eventfd(roll(3), (nonblocking ? EFD_NONBLOCK : 0) | (roll(2) ? EFD_SEMAPHORE : 0)));
      keep((int)r);
      break;
    case 5:
      CALL("timerfd_create", timerfd_create(CLOCK_MONOTONIC, nonblocking ? TFD_NONBLOCK : 0));
      keep((int)r);
      break;
    case 6:
      CALL("memfd_create", memfd_create("fuzz", 0));
      keep((int)r);
      break;
    case 7:
      CALL("epoll_create1", epoll_create1(0));
      keep((int)r);
      break;
    default: {
      int listener = socket(AF_UNIX, SOCK_STREAM | (nonblocking ? SOCK_NONBLOCK : 0), 0);
      struct sockaddr_un name = {.sun_family = AF_UNIX};
      socklen_t size = sizeof(sa_family_t);
      bind(listener, (struct sockaddr*)&name, size);
      listen(listener, 1);
      size = sizeof name;
      getsockname(listener, (struct sockaddr*)&name, &size);
      int client = socket(AF_UNIX, SOCK_STREAM, 0);
      CALL("connect", connect(client, (struct sockaddr*)&name, size));
      keep(listener);
      keep(client);
    }
  }
}

static void transfer(void) {
  int fd = some_fd(), count, flags = some_message_flags();
  size_t size = some_size();
  void* at = some_room();
  struct iovec* vector = some_vector(&count);
  struct mmsghdr two[2];
  memset(two, 0, sizeof two);
  struct msghdr* message = some_message();
  if (message) two[0].msg_hdr = two[1].msg_hdr = *message;
  off_t offset = (off_t[]){0, 5, -1, 1 << 20}[roll(4)];
  long r;
  switch (roll(16)) {
    case 0: CALL("read", read(fd, at, size)); break;
    case 1: CALL("write", write(fd, at, size)); break;
    case 2: CALL("readv", readv(fd, vector, count)); break;
    case 3: CALL("writev", writev(fd, vector, count)); break;
    case 4: CALL("recv", recv(fd, at, size, flags)); break;
    case 5: CALL("send", send(fd, at, size, flags)); break;
    case 6: CALL("recvmsg", recvmsg(fd, message, flags)); break;
    case 7: CALL("sendmsg", sendmsg(fd, message, flags)); break;
    case 8: CALL("recvmmsg", recvmmsg(fd, two, flags & MSG_DONTWAIT ? 2 : 1, flags, NULL)); break;
    case 9: CALL("sendmmsg", sendmmsg(fd, two, 1 + roll(2), flags)); break;
    case 10: CALL("pread", pread(fd, at, size, offset)); break;
    case 11: CALL("pwrite", pwrite(fd, at, size < 65536 ? size : 64, offset)); break;
    case 12:
      CALL("preadv2", preadv2(fd, vector, count, offset, (int)roll(3) * RWF_NOWAIT / 2));
      break;
    case 13: CALL("pwritev2", pwritev2(fd, vector, count, offset, 0)); break;
    case 14: CALL("read", read(fd, room, 8)); break;
    default: CALL("write", write(fd, "\1\0\0\0\0\0\0", 8));
  }
  note(room, 256);
  note(two, sizeof two[0].msg_len);
}

static void wait_for_something(void) {
  nfds_t count;
  struct pollfd* polls = some_polls(&count);
  struct epoll_event events[4], one = {roll(4) ? EPOLLIN : EPOLLOUT | EPOLLET, {.u64 = roll(99)}};
  memset(events, 0, sizeof events);
  struct timespec zero = {0, 0}, wrong = {0, 2000000000},
                  *time = (struct timespec*[]){&zero, &zero, NULL, &wrong}[roll(4)];
  struct timeval zero_us = {0, 0};
  fd_set in, out;
  FD_ZERO(&in);
  FD_ZERO(&out);
  for (int i = 0; i < 3; i++) {
    int fd = some_fd();
    if (fd >= 0 && fd < 64) FD_SET(fd, i < 2 ? &in : &out);
  }
  int most = (int[]){1, 4, 4, 0, -1}[roll(5)], fd = some_fd(), forever = roll(6) == 0;
  long r;
  switch (roll(8)) {
    case 0:
    case 1: CALL("poll", poll(polls, count, forever ? -7 : 0)); break;
    case 2: CALL("ppoll", ppoll(polls, count, time, NULL)); break;
    case 3:
      CALL("select", select(64, &in, roll(2) ? &out : NULL, NULL, forever ? NULL : &zero_us));
      break;
    case 4: CALL("pselect", pselect((int)roll(70) - 2, &in, NULL, &out, time, NULL)); break;
    case 5:
      CALL("epoll_ctl", epoll_ctl(fd, 1 + (int)roll(3), some_fd(), roll(16) ? &one : NULL));
      break;
    case 6:
      CALL("epoll_wait", epoll_wait(fd, roll(16) ? events : NULL, most, forever ? -1 : 0));
      break;
    default: CALL("epoll_pwait2", epoll_pwait2(fd, events, most, time, NULL));
  }
  if (polls) note(polls, count * sizeof *polls);
  note(events, sizeof events);
  if (r >= 0) note(&in, 8), note(&out, 8);
}

// Files without a type (epoll, eventfd, ...) are one and the same to locks, in all processes.
static int lockable(int fd) {
  struct stat s;
  return fstat(fd, &s) == 0 && !(s.st_mode & S_IFMT) ? -1 : fd;
}

static void change_something(void) {
  int fd = some_fd(), other = some_fd(), value = (int)roll(3) - 1, got = 0;
  socklen_t size = sizeof got;
  struct flock lock = {.l_type = (short)roll(3), .l_whence = SEEK_SET, .l_len = roll(9)};
  struct timeval huge = {(time_t[]){0, 1000000, -1, INT64_MAX}[roll(4)], roll(9) ? 0 : 2000000};
  struct itimerspec far = {{0, 0}, {1000000, roll(6) ? 0 : 2000000000}};
  long r;
  switch (roll(23)) {
    case 21:
      CALL("F_SETPIPE_SZ", fcntl(fd, F_SETPIPE_SZ, (int[]){4096, 1 << 20, 65536, 0, -1}[roll(5)]));
      break;
    case 0: CALL("shutdown", shutdown(fd, (int)roll(4))); break;
    case 1: CALL("F_GETFL", fcntl(fd, F_GETFL)); break;
    case 2: CALL("F_SETFL", fcntl(fd, F_SETFL, roll(2) ? O_NONBLOCK : 0)); break;
    case 3: CALL("FIONBIO", ioctl(fd, FIONBIO, roll(12) ? &value : NULL)); break;
    case 4: CALL("FIONREAD", ioctl(fd, FIONREAD, &got)); break;
    case 5: CALL("SO_ERROR", getsockopt(fd, SOL_SOCKET, SO_ERROR, &got, &size)); break;
    case 6:
      CALL("SO_RCVTIMEO",
           setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &huge, roll(9) ? sizeof huge : 3));
      break;
    case 7: CALL("SO_SNDTIMEO", setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &huge, sizeof huge)); break;
    case 8:
      CALL("accept4", r = accept4(fd, NULL, NULL, roll(2) ? SOCK_NONBLOCK : (int)roll(2) * 7));
      keep((int)r);
      break;
    case 9:
      CALL("dup", dup(fd));
      keep((int)r);
      break;
    case 10: CALL("dup2", other >= 3 && other < 64 && fd >= 3 ? dup2(fd, other) : -2); break;
    case 11:
      CALL("dup3",
           other >= 3 && other < 64 && fd >= 3 ? dup3(fd, other, (int)roll(2) * O_CLOEXEC) : -2);
      break;
    case 12: CALL("close", fd >= 3 || fd < 0 ? close(fd) : -2); break;
    case 13:
      CALL("F_DUPFD", fcntl(fd, F_DUPFD, 20));
      keep((int)r);
      break;
    case 14: CALL("lseek", lseek(fd, (off_t)roll(9) - 2, (int)roll(6))); break;
    case 15: CALL("ftruncate", ftruncate(fd, (off_t)roll(9000) - 2)); break;
    case 16: CALL("flock", flock(lockable(fd), (int)roll(9))); break;
    case 17: CALL("F_SETLK", fcntl(lockable(fd), roll(2) ? F_SETLK : F_OFD_SETLK, &lock)); break;
    case 18: CALL("F_SETLKW", fcntl(lockable(fd), F_SETLKW, roll(9) ? &lock : NULL)); break;
    case 19: CALL("timerfd_settime", timerfd_settime(fd, 0, roll(9) ? &far : NULL, NULL)); break;
    case 20: CALL("fsync", roll(2) ? fsync(fd) : fdatasync(fd)); break;
    default: CALL("close_range", close_range(15, roll(2) ? 17 : 3, 0));
  }
  note(&got, sizeof got);
}

static void move_bytes(void) {
  int from = some_fd(), to = some_fd(), count;
  size_t size = (size_t[]){0, 1, 64, 5000}[roll(4)];
  unsigned flags = roll(3) ? SPLICE_F_NONBLOCK : roll(2) ? 0 : 64;
  struct iovec* vector = some_vector(&count);
  off_t offset = 0, *at = roll(3) ? NULL : &offset;
  long r;
  switch (roll(5)) {
    case 0: CALL("splice", splice(from, at, to, NULL, size, flags)); break;
    case 1: CALL("tee", tee(from, to, size, flags)); break;
    case 2: CALL("vmsplice", vmsplice(to, vector, (size_t)count, SPLICE_F_NONBLOCK)); break;
    case 3: CALL("sendfile", sendfile(to, from, at, size)); break;
    default: CALL("copy_file_range", copy_file_range(from, at, to, NULL, size, 0));
  }
}

static void call_wrongly(void) {
  struct timespec bad = {(time_t)roll(3) - 1, 1000000000 * (long)roll(3)};
  static unsigned word;
  int futex = (int)roll(14) | 128, waits = (futex & 15) == 0 || (futex & 15) == 9;
  // For operations that do not wait it is a number.
  void* futex_argument = waits ? (roll(2) ? &bad : NULL) : (void*)(intptr_t)((int)roll(3) - 1);
  siginfo_t info;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  long r;
  switch (roll(8)) {
    case 0:
      CALL("nanosleep", bad.tv_sec > 0 && bad.tv_nsec < 1000000000 ? 0 : nanosleep(&bad, NULL));
      break;
    case 1:
      CALL("clock_nanosleep",
           clock_nanosleep((int)roll(40), TIMER_ABSTIME, roll(4) ? &bad : NULL, NULL));
      break;
    case 2: CALL("waitpid", waitpid(-1, NULL, (int)roll(16) | WNOHANG)); break;
    case 3:
      CALL("waitid",
           waitid((idtype_t)roll(6), (id_t)roll(3) + 1000000, &info, (int)roll(16) | WNOHANG));
      break;
    case 4:
      CALL("futex",
           syscall(SYS_futex, roll(6) ? &word : (void*)3, futex, 1, futex_argument, &word, 0));
      break;
    case 5: CALL("sigtimedwait", sigtimedwait(&set, NULL, bad.tv_sec > 0 ? NULL : &bad)); break;
    case 6:
      CALL("rt_sigprocmask",
           syscall(SYS_rt_sigprocmask, (int)roll(5), some_room(), some_room(), 7 + roll(2)));
      pthread_sigmask(SIG_SETMASK, (sigset_t*)memset(&set, 0, sizeof set), NULL);
      break;
    default: CALL("pthread_kill", pthread_kill(pthread_self(), roll(2) ? 0 : 99));
  }
}

// To another socket, or from one: descriptors, wrong ones among them.
static void pass_descriptor(void) {
  int fd = some_fd(), got = -1;
  char byte = 'd';
  union {
    struct cmsghdr head;
    char room[CMSG_SPACE(sizeof(int))];
  } control;
  memset(&control, 0, sizeof control);
  struct iovec one = {&byte, 1};
  struct msghdr message = {.msg_iov = &one, .msg_iovlen = 1, .msg_control = &control};
  message.msg_controllen = roll(8) ? sizeof control : roll(sizeof control);
  long r;
  if (roll(2)) {
    control.head = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    int passed = some_fd();
    memcpy(CMSG_DATA(&control.head), &passed, sizeof passed);
    CALL("sendmsg with a descriptor", sendmsg(fd, &message, roll(2) ? MSG_DONTWAIT : 0));
    return;
  }
  CALL("recvmsg with a descriptor", recvmsg(fd, &message, roll(2) ? MSG_DONTWAIT : 0));
  if (r >= 0 && message.msg_controllen >= CMSG_LEN(sizeof(int)))
    memcpy(&got, CMSG_DATA(&control.head), sizeof got);
  note(&got, sizeof got);
  note(&message.msg_flags, sizeof message.msg_flags);
  note(&byte, 1);
  keep(got);
}

// A child that changes the flags of a file that both have, and reads or writes it.
static void share_with_child(void) {
  int fd = some_fd(), writes = (int)roll(2), restores = (int)roll(2), end = -1;
  long r;
  if ((r = fork()) == 0) {
    char byte = 'c';
    int flags = fcntl(fd, F_GETFL);
    if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) _exit(100);
    long done = writes ? write(fd, "child", 5) : read(fd, &byte, 1);
    if (restores) fcntl(fd, F_SETFL, flags);
    _exit(done < 0 ? errno : 101 + (int)done);
  }
  while (r > 0 && waitpid((pid_t)r, &end, 0) < 0 && errno == EINTR) continue;
  CALL("the child's end", WIFEXITED(end) ? WEXITSTATUS(end) : -WTERMSIG(end));
}

static void run_sequence(void) {
  random_state = seed * 0x9E3779B97F4A7C15u + 1;
  hash = 14695981039346656037u;
  memset(room, 'x', kRoom);
  for (int i = 0; i < kSlots; i++) slots[i] = -1;
  for (int i = 0; i < 3; i++) make_something();
  for (int i = 0; i < kCallsPerSequence; i++) {
    switch (roll(14)) {
      case 0: make_something(); break;
      case 12: pass_descriptor(); break;
      case 13: roll(4) ? change_something() : share_with_child(); break;
      case 1:
      case 2:
      case 3: wait_for_something(); break;
      case 4:
      case 5:
      case 6: change_something(); break;
      case 7: move_bytes(); break;
      case 8: call_wrongly(); break;
      default: transfer();
    }
  }
  close_range(3, 800, 0);
  printf("%llu %016llx\n", (unsigned long long)seed, (unsigned long long)hash);
}

static uint64_t last_seed;

static void* caller(void* unused) {
  for (; seed < last_seed; seed++) run_sequence();
  fflush(stdout);
  return unused;
}

static void count_pipe(int sig) { broken_pipes++; }
static void interrupt(int sig) { (void)sig; }

static void catch (int sig, void (*handler)(int)) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  CHECK_OK(sigaction(sig, &action, NULL));
}

int main(int argc, char** argv) {
  seed = (uint64_t)arg_or(argc, argv, 1, 1);
  last_seed = seed + (uint64_t)arg_or(argc, argv, 2, 100);
  int patience = arg_or(argc, argv, 3, 5);
  verbose = argc > 4;
  catch (SIGPIPE, count_pipe);
  catch (SIGUSR1, interrupt);
  // Nothing is mapped behind the two.
  room = mmap(NULL, kRoom + 3 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(room != MAP_FAILED);
  CHECK_OK(mprotect(room, kRoom, PROT_READ | PROT_WRITE));
  read_only = room + kRoom + 4096;
  CHECK_OK(mprotect(read_only, 4096, PROT_READ));
  pthread_t thread = spawn(caller, NULL);
  uint64_t seen = 0;
  for (int stuck = 0; pthread_tryjoin_np(thread, NULL) != 0;) {
    sleep_ms(1);
    uint64_t now = calls_begun;
    stuck = now == seen && calls_ended < now ? stuck + 1 : 0;
    seen = now;
    if (stuck >= patience) pthread_kill(thread, SIGUSR1);
  }
  return 0;
}
