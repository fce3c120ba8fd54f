// A thread in sigwait receives what is sent to the process while all block it, as daemons do;
// sigtimedwait times out and tells the sender's value.
#include "check.h"

#include <signal.h>

static sigset_t set;
static int counts[65];
static pthread_barrier_t next;

static void* waiter(void* unused) {
  for (;;) {
    int number;
    CHECK_OK(sigwait(&set, &number));
    counts[number]++;
    if (number == SIGTERM) return unused;
    pthread_barrier_wait(&next);
  }
}

static void* bystander(void* unused) {
  for (int i = 0; i < 50; i++) usleep(500);
  return unused;
}

int main(void) {
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGALRM);
  sigaddset(&set, SIGRTMIN);
  CHECK_OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
  CHECK_OK(pthread_barrier_init(&next, NULL, 2));
  pthread_t thread = spawn(waiter, NULL), other = spawn(bystander, NULL);
  for (int i = 0; i < 20; i++) {
    CHECK_OK(i % 2 ? pthread_kill(thread, SIGUSR1) : kill(getpid(), SIGUSR1));
    pthread_barrier_wait(&next);
  }
  CHECK_EQ(ualarm(2000, 0), 0);
  pthread_barrier_wait(&next);
  CHECK_OK(kill(getpid(), SIGTERM));
  join(thread);
  join(other);
  CHECK_EQ(counts[SIGUSR1], 20);
  CHECK_EQ(counts[SIGALRM], 1);
  CHECK_EQ(counts[SIGTERM], 1);

  for (int i = 0; i < 3; i++) {
    CHECK_OK(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 100 + i}));
  }
  siginfo_t info;
  for (int i = 0; i < 3; i++) {
    CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN);
    CHECK_EQ(info.si_value.sival_int, 100 + i);
    CHECK_EQ(info.si_code, SI_QUEUE);
  }
  int64_t start = now_ns(CLOCK_MONOTONIC);
  struct timespec t = to_timespec(20 * MS);
  CHECK_ERRNO(sigtimedwait(&set, &info, &t), EAGAIN);
  CHECK(now_ns(CLOCK_MONOTONIC) - start >= 20 * MS);
  printf("%d waited for\n", counts[SIGUSR1]);
}
