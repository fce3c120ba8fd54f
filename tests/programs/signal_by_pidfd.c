// A signal that the only thread which accepts it sends its own process by a pidfd has been handled
// when the call returns.
#include "check.h"

#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

static volatile int handled;
static void on_signal(int number) {
  (void)number;
  handled++;
}

static void* busy(void* stop) {
  while (!*(volatile int*)stop) sched_yield();
  return NULL;
}

int main(void) {
  int stop = 0;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  CHECK_OK(sigaction(SIGUSR1, &(struct sigaction){.sa_handler = on_signal}, NULL));
  CHECK_OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) threads[i] = spawn(busy, &stop);
  CHECK_OK(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
  int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
  CHECK(self >= 0);
  for (int i = 0; i < 200; i++) {
    CHECK_OK(syscall(SYS_pidfd_send_signal, self, SIGUSR1, NULL, 0));
    CHECK_EQ(handled, i + 1);
    usleep(200);  // Somewhere else, perhaps.
  }
  *(volatile int*)&stop = 1;
  for (int i = 0; i < 4; i++) join(threads[i]);
  puts("each at once");
}
