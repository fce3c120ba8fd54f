// Calls that the kernel waits in go on when handlers with SA_RESTART have run, however many signals
// come close together, and whoever else gets signals without it.
#include "check.h"
#include "held_child.h"

#include <signal.h>
#include <sys/wait.h>

enum { WAITERS = 4, SENDERS = 2 };
static volatile int stop, handled;
static pthread_t waiters[WAITERS];

static void on_signal(int number) {
  (void)number;
  __atomic_add_fetch(&handled, 1, __ATOMIC_RELAXED);
}

static void* waits(void* argument) {
  wait_for_held_child();
  return argument;
}

static void* sends(void* argument) {
  while (!stop)
    for (int i = 0; i < WAITERS; i++) pthread_kill(waiters[i], SIGUSR1);
  return argument;
}

int main(void) {
  CHECK_OK(pipe(hold));
  struct sigaction restarts = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  CHECK_OK(sigaction(SIGUSR1, &restarts, NULL));
  CHECK_OK(sigaction(SIGUSR2, &(struct sigaction){.sa_handler = on_signal}, NULL));
  sigset_t usr2;
  sigemptyset(&usr2);
  sigaddset(&usr2, SIGUSR2);
  CHECK_OK(pthread_sigmask(SIG_BLOCK, &usr2, NULL));  // The main thread alone takes it.
  for (int i = 0; i < WAITERS; i++) waiters[i] = spawn(waits, NULL);
  CHECK_OK(pthread_sigmask(SIG_UNBLOCK, &usr2, NULL));
  pthread_t senders[SENDERS];
  for (int i = 0; i < SENDERS; i++) senders[i] = spawn(sends, NULL);
  for (int64_t end = now_ns(CLOCK_MONOTONIC) + SECOND / 2; now_ns(CLOCK_MONOTONIC) < end;)
    kill(getpid(), SIGUSR2);
  stop = 1;
  for (int i = 0; i < SENDERS; i++) join(senders[i]);
  close(hold[1]);
  for (int i = 0; i < WAITERS; i++) join(waiters[i]);
  CHECK(handled > 0);
  puts("none was interrupted");
}
