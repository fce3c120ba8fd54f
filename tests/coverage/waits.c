// Coverage: time, poll and its kin, descriptors that stand for something else, ttys, leases.
#include <linux/userfaultfd.h>
#include <pty.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <termios.h>
#include <threads.h>

#include "tests/coverage/cover.h"

enum { kMany = 200 };

static struct epoll_event event;
static eventfd_t number;
static struct stat status;
static char* page;

static struct pollfd* watch(int which, short events) {
  static struct pollfd one;
  one = (struct pollfd){which, events, 0};
  return &one;
}
static struct pollfd* watched(short events) { return watch(fd[0], events); }
static struct pollfd* watched_out(void) { return watch(fd[1], POLLOUT); }
static struct pollfd* watched_slave(void) { return watch(fd[1], POLLIN); }
static struct pollfd* watched_peer(void) { return watch(peer, POLLIN); }

static struct pollfd* many_watched(void) {
  static struct pollfd many[kMany];
  for (int i = 0; i < kMany; i++) {
    int other[2];
    CHECK_OK(i == kMany / 2 ? (other[0] = fd[0], 0) : pipe(other));
    many[i] = (struct pollfd){other[0], POLLIN, 0};
  }
  return many;
}

static fd_set* read_set(void) {
  static fd_set set;
  FD_ZERO(&set);
  FD_SET(fd[0], &set);
  return &set;
}

static void make_empty_epoll(void) {
  if (fd[0] < 0) make_pipe();
  CHECK((peer = epoll_create1(0)) >= 0);
}

static void add_to_epoll(void) {
  struct epoll_event in = {EPOLLIN, {.fd = fd[0]}};
  CHECK_OK(epoll_ctl(peer, EPOLL_CTL_ADD, fd[0], &in));
}

static void make_epoll(void) {
  make_empty_epoll();
  add_to_epoll();
}

static void make_nested_epoll(void) {
  make_epoll();
  int inner = peer;
  CHECK((peer = epoll_create1(0)) >= 0);
  struct epoll_event in = {EPOLLIN, {.fd = inner}};
  CHECK_OK(epoll_ctl(peer, EPOLL_CTL_ADD, inner, &in));
}

static struct timespec* ms30(void) {
  static struct timespec t;
  t = to_timespec(30 * MS);
  return &t;
}

static struct timespec* in_30ms(clockid_t clock) {
  static struct timespec t;
  t = after_ms(clock, 30);
  return &t;
}

static struct timeval* us30000(void) {
  static struct timeval t;
  t = (struct timeval){0, 30000};
  return &t;
}

static long arm_and_read(void) {
  struct itimerspec in = {{0, 0}, *ms30()};
  CHECK_OK(timerfd_settime(fd[0], 0, &in, NULL));
  return read(fd[0], &number, 8);
}

static struct iovec* iov_at(const char* at, size_t size) {
  struct iovec* one = iov(size);
  one->iov_base = (char*)at;
  return one;
}

static void make_inotify(void) {
  CHECK((fd[0] = inotify_init()) >= 0);
  CHECK(inotify_add_watch(fd[0], ".", IN_CREATE) >= 0);
}

static void make_a_file(void) {
  char name[32];
  snprintf(name, sizeof name, "made-by-%d", getpid());
  int file = creat(name, 0600);
  CHECK(file >= 0);
  close(file);
  unlink(name);
}

// Without the privilege: what pipes do.
static void make_fanotify(void) {
  fd[0] = fanotify_init(FAN_CLASS_NOTIF, O_RDONLY);
  if (fd[0] >= 0 &&
      fanotify_mark(fd[0], FAN_MARK_ADD, FAN_CLOSE_WRITE | FAN_EVENT_ON_CHILD, AT_FDCWD, ".") == 0)
    return;
  make_inotify();
}

static long fanotify_result(void) { return ok(read(fd[0], data + 8, 4096) > 0); }

static char token[64];

// Without the privilege: what pipes do.
static void open_kernel_log(const char* name, int whence) {
  snprintf(token, sizeof token, "green-cover-%d-%lld", getpid(),
           (long long)now_ns(CLOCK_MONOTONIC));
  int log = open("/dev/kmsg", O_WRONLY);
  fd[0] = log < 0 ? -1 : open(name, O_RDONLY);
  if (fd[0] < 0) {
    make_pipe();
    peer = fd[1];
    return;
  }
  CHECK_OK(close(log));
  peer = -1;
  if (whence == SEEK_END) CHECK_EQ(lseek(fd[0], 0, SEEK_END), 0);
}

// To the record that this case writes: what else the kernel has to say comes before. One that was
// lost meanwhile is EPIPE. Documentation/ABI/testing/dev-kmsg.
static long read_log_by(ssize_t (*get)(char*, int)) {
  char* record = data + 64;
  for (;;) {
    ssize_t size = get(record, 8192);
    if (size < 0 && errno != EPIPE) return size;
    record[size < 0 ? 0 : size] = 0;
    if (strstr(record, token)) return 0;
  }
}

static ssize_t by_descriptor(char* record, int size) { return read(fd[0], record, size); }
static ssize_t by_descriptor_now(char* record, int size) {
  return poll(watched(POLLIN), 1, 0) == 1 ? by_descriptor(record, size) : -1;
}
static ssize_t by_klogctl(char* record, int size) {
  return klogctl(2, record, size);
}  // ACTION_READ

static long read_kernel_log(void) { return read_log_by(by_descriptor); }
static long read_kernel_log_now(void) { return read_log_by(by_descriptor_now); }
static long read_with_klogctl(void) { return read_log_by(peer >= 0 ? by_descriptor : by_klogctl); }

// To the same record: any other wakes the poll too.
static long poll_kernel_log(void) {
  long ready;
  do {
    ready = poll(watched(POLLIN), 1, -1);
  } while (ready == 1 && read_kernel_log_now() != 0);
  return ready;
}

// Until it was read: who else reads /proc/kmsg takes records away, and of one opening of /dev/kmsg
// the kernel takes ten in five seconds.
static void write_kernel_log(void) {
  for (; !returned; sleep_ms(20)) {
    int log = peer < 0 ? open("/dev/kmsg", O_WRONLY) : peer;
    write_all(log, token, strlen(token));
    if (log != peer) CHECK_OK(close(log));
  }
}

static void make_pidfd(void) {
  child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    for (;;) pause();
  }
  CHECK((fd[0] = (int)syscall(SYS_pidfd_open, child, 0)) >= 0);
}

static void make_userfaultfd(void) {
  long made = syscall(SYS_userfaultfd, O_CLOEXEC);
  if (made < 0) made = syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
  CHECK(made >= 0);
  fd[0] = (int)made;
  struct uffdio_api api = {UFFD_API, 0, 0};
  CHECK_OK(ioctl(fd[0], UFFDIO_API, &api));
  page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(page != MAP_FAILED);
  struct uffdio_register all = {{(uintptr_t)page, 4096}, UFFDIO_REGISTER_MODE_MISSING, 0};
  CHECK_OK(ioctl(fd[0], UFFDIO_REGISTER, &all));
}

static void serve_page(void) {
  static char zero[4096] __attribute__((aligned(4096)));
  struct uffdio_copy copy = {(uintptr_t)page, (uintptr_t)zero, 4096, 0, 0};
  CHECK_OK(ioctl(fd[0], UFFDIO_COPY, &copy));
}

static void* touch_page(void* unused) {
  *(volatile char*)page = 1;
  return unused;
}
static void touch_page_later(void) { spawn(touch_page, NULL); }

static void make_pty(void) {
  CHECK_OK(openpty(&fd[0], &fd[1], NULL, NULL, NULL));
  struct termios quiet;
  CHECK_OK(tcgetattr(fd[1], &quiet));
  quiet.c_lflag &= ~(tcflag_t)ECHO;
  quiet.c_oflag &= ~(tcflag_t)OPOST;
  CHECK_OK(tcsetattr(fd[1], TCSANOW, &quiet));
}

static void make_controlling_tty(void) {
  make_pty();
  // A session leader is not the group's leader that the runner made us: a child is.
  pid_t session = fork();
  CHECK(session >= 0);
  if (session) {
    int end;
    CHECK_EQ(waitpid(session, &end, 0), session);
    _exit(end != 0);
  }
  CHECK(setsid() >= 0);
  CHECK_OK(ioctl(fd[1], TIOCSCTTY, 0));
  signal(SIGHUP, SIG_IGN);
}

static void make_leased_file(void) {
  unlink("leased");
  CHECK((peer = open("leased", O_CREAT | O_RDONLY, 0600)) >= 0);
  signal(SIGIO, SIG_IGN);
  CHECK_OK(fcntl(peer, F_SETLEASE, F_RDLCK));
}

static void release_lease(void) { CHECK_OK(fcntl(peer, F_SETLEASE, F_UNLCK)); }

#define GOES_ON \
  "page_fault", "page_fault_in_call", "page_fault_in_stat", "getpass", "truncate_leased", "klogctl"
#define FAMILY "tests/coverage/waits.inc"
#include "tests/coverage/cover_main.h"
