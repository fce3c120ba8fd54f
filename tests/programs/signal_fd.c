// signalfd(2): a signal that every thread blocks stays readable there, by read, poll and epoll,
// with the sender's data; real-time ones in order; one that a thread unblocks runs the handler
// instead.
#include "check.h"

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

enum { EACH = 200 };
static int early, done, handled;

static void on_signal(int sig) { (void)sig, __atomic_fetch_add(&handled, 1, __ATOMIC_SEQ_CST); }

static void* compute(void* unused) {
  while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) sched_yield();
  return unused;
}

static struct signalfd_siginfo take(int fd) {
  struct signalfd_siginfo info;
  CHECK_EQ(read(fd, &info, sizeof info), sizeof info);
  return info;
}

static void* reader(void* unused) {
  for (int i = 0; i < EACH; i++) {
    struct signalfd_siginfo info = take(early);
    CHECK_EQ(info.ssi_signo, SIGRTMIN + 1);
    CHECK_EQ(info.ssi_int, i);
  }
  return unused;
}

int main(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGCHLD);
  sigaddset(&set, SIGRTMIN + 1);
  CHECK_OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
  early = signalfd(-1, &set, SFD_CLOEXEC);  // before there are threads
  pthread_t computing = spawn(compute, NULL);

  // By a task that waits in read, from another process.
  int over[2];
  CHECK_OK(pipe(over));
  pthread_t reading = spawn(reader, NULL);
  pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < EACH; i++) {
      CHECK_OK(sigqueue(getppid(), SIGRTMIN + 1, (union sigval){.sival_int = i}));
    }
    CHECK_OK(close(over[1]));
    char none;
    CHECK_EQ(read(over[0], &none, 1), 0);
    _exit(7);
  }
  join(reading);
  CHECK_OK(close(over[1]));

  // The child's end, by poll; SIGUSR1 from ourselves, by epoll on a later one.
  struct pollfd p = {early, POLLIN, 0};
  CHECK_EQ(poll(&p, 1, 10000), 1);
  struct signalfd_siginfo info = take(early);
  CHECK_EQ(info.ssi_signo, SIGCHLD);
  CHECK_EQ(info.ssi_pid, child);
  CHECK_EQ(waitpid(child, NULL, 0), child);
  int late = signalfd(-1, &set, SFD_NONBLOCK), watch = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN};
  CHECK_OK(epoll_ctl(watch, EPOLL_CTL_ADD, late, &event));
  CHECK_EQ(epoll_wait(watch, &event, 1, 0), 0);
  CHECK_ERRNO(read(late, &info, sizeof info), EAGAIN);
  CHECK_OK(kill(getpid(), SIGUSR1));
  CHECK_EQ(epoll_wait(watch, &event, 1, 10000), 1);
  sigset_t pending;
  CHECK_OK(sigpending(&pending));
  CHECK_EQ(sigismember(&pending, SIGUSR1), 1);
  CHECK_EQ(take(late).ssi_signo, SIGUSR1);

  // Thread-directed; then unblocked: the handler.
  CHECK_OK(pthread_kill(pthread_self(), SIGUSR1));
  CHECK_EQ(take(late).ssi_signo, SIGUSR1);
  CHECK(signal(SIGUSR1, on_signal) != SIG_ERR);
  CHECK_OK(kill(getpid(), SIGUSR1));
  CHECK_EQ(handled, 0);
  CHECK_OK(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
  CHECK_EQ(handled, 1);
  CHECK_OK(kill(getpid(), SIGUSR1));
  CHECK_EQ(handled, 2);
  CHECK_ERRNO(read(late, &info, sizeof info), EAGAIN);
  __atomic_store_n(&done, 1, __ATOMIC_RELEASE);
  join(computing);
  printf("%d in order\n", EACH);
}
