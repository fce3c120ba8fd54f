// A handler forks, and in the child, too, returns to what it interrupted: a computation, a call
// that begins again, a call that ends with EINTR. The child's mask is the thread's, and it is
// whole.
#include "check.h"

#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/wait.h>

static pid_t parent;
static volatile int waits;
static volatile sig_atomic_t handled;
static int data[2], ends[2];
static __thread pid_t child;

static void forks(int number) {
  (void)number;
  child = fork();
  CHECK(child >= 0);
  handled = 1;
}

static void* nothing(void* argument) { return argument; }

// In parent and child.
static void finish(void) {
  sigset_t mask;
  CHECK_OK(pthread_sigmask(SIG_SETMASK, NULL, &mask));
  for (int s = 1; s < 32; s++) CHECK_EQ(sigismember(&mask, s), s == SIGHUP);
  if (getpid() != parent) {
    join(spawn(nothing, NULL));
    _exit(7);
  }
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static void* computes(void* unused) {
  waits = 1;
  while (!handled) {
  }
  finish();
  return unused;
}

static void* reads(void* unused) {
  char c;
  waits = 1;
  CHECK_EQ(read(data[0], &c, 1), 1);  // one byte each
  finish();
  return unused;
}

static void* sleeps(void* unused) {
  waits = 1;
  CHECK_ERRNO(usleep(10000000), EINTR);
  finish();
  return unused;
}

static void* suspends(void* unused) {
  sigset_t none;
  sigemptyset(&none);
  sigaddset(&none, SIGHUP);
  waits = 1;
  CHECK_ERRNO(sigsuspend(&none), EINTR);
  finish();
  return unused;
}

static void* polls(void* unused) {
  struct pollfd fd = {.fd = ends[0], .events = POLLIN};
  waits = 1;
  CHECK_ERRNO(poll(&fd, 1, -1), EINTR);
  finish();
  return unused;
}

static void* waits_for_child(void* unused) {
  pid_t sleeper = fork();
  if (sleeper == 0) {
    usleep(200000);
    _exit(0);
  }
  waits = 1;
  pid_t r = waitpid(sleeper, NULL, 0);  // natively restarted; not the child's child
  if (getpid() == parent)
    CHECK_EQ(r, sleeper);
  else
    CHECK_EQ(r, -1);
  finish();
  return unused;
}

int main(void) {
  parent = getpid();
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGHUP);
  CHECK_OK(pthread_sigmask(SIG_SETMASK, &mask, NULL));
  CHECK_OK(pipe(data));
  CHECK_OK(pipe(ends));
  struct sigaction action = {.sa_handler = forks, .sa_flags = SA_RESTART};
  CHECK_OK(sigaction(SIGUSR1, &action, NULL));
  void* (*const bodies[])(void*) = {computes, reads, sleeps, suspends, polls, waits_for_child};
  for (int i = 0; i < 6; i++) {
    waits = handled = 0;
    pthread_t thread = spawn(bodies[i], NULL);
    AWAIT(waits);
    sleep_ms(20);
    CHECK_OK(pthread_kill(thread, SIGUSR1));
    if (bodies[i] == reads) CHECK_EQ(write(data[1], "ab", 2), 2);
    join(thread);
  }
  puts("forked in handlers");
}
