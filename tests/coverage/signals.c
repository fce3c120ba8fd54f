// Coverage: waiting for signals, and waits that signals end.
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/time.h>

#include "tests/coverage/cover.h"
#include "tests/coverage/sysv.h"

static int got;
static sem_t sem;
static struct epoll_event event;
static struct sockaddr_in to;
extern int __sigpause(int sig_or_mask, int is_sig);

static void handler(int sig) { (void)sig; }

static void with_flags(int sig, int flags) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  action.sa_flags = flags;
  CHECK_OK(sigaction(sig, &action, NULL));
}
static void catch (int sig) { with_flags(sig, 0); }
static void catch_restarting(int sig) { with_flags(sig, SA_RESTART); }

static sigset_t* one_signal(int sig) {
  static sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, sig);
  return &set;
}

static sigset_t* no_signals(void) {
  static sigset_t set;
  sigemptyset(&set);
  return &set;
}

// For all threads of the case.
static void block(int sig) { CHECK_OK(pthread_sigmask(SIG_BLOCK, one_signal(sig), NULL)); }

static struct timespec* in(int ms) {
  static struct timespec t;
  t = to_timespec(ms * MS);
  return &t;
}

static void start_child(void) {
  CHECK((child = fork()) >= 0);
  if (child == 0)
    for (;;) pause();
}

static void arm_timer(void) {
  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
  CHECK_OK(timer_create(CLOCK_MONOTONIC, &event, &timer));
  struct itimerspec once = {{0, 0}, *in(30)};
  CHECK_OK(timer_settime(timer, 0, &once, NULL));
}

static void arm_itimer(void) {
  struct itimerval once = {{0, 0}, {0, 30000}};
  CHECK_OK(setitimer(ITIMER_REAL, &once, NULL));
}

static void make_full_listener(void) {
  int listener = tcp_listen(0);
  to = loopback(port_of(listener));
  tcp_connect(port_of(listener));
  CHECK((fd[0] = socket(AF_INET, SOCK_STREAM, 0)) >= 0);
}

static void make_flocked(void) {
  CHECK((fd[0] = open("locked", O_CREAT | O_RDWR, 0600)) >= 0);
  CHECK((fd[1] = open("locked", O_RDWR)) >= 0);
  CHECK_OK(flock(fd[1], LOCK_EX));
}

static struct flock* whole_file(void) {
  static struct flock all;
  all = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
  return &all;
}

// By another process.
static void make_locked(void) {
  CHECK((fd[0] = open("locked", O_CREAT | O_RDWR, 0600)) >= 0);
  int ready[2];
  CHECK_OK(pipe(ready));
  CHECK((child = fork()) >= 0);
  if (child == 0) {
    CHECK_OK(fcntl(fd[0], F_SETLK, whole_file()));
    hello(ready[1]);
    for (;;) pause();
  }
  CHECK_EQ(read(ready[0], data + 8, 6), 6);
}

static void to_blocker(int sig);

#define GOES_ON "flock_interrupted", "semop_interrupted"
#define FAMILY "tests/coverage/signals.inc"
#include "tests/coverage/cover_main.h"

static void to_blocker(int sig) { CHECK_OK(pthread_kill(blocking_thread, sig)); }
