// A signal for the process whose receiver, told of it, does not accept it any more is another's
// that does: a waiter took another one first, or another one's handler blocks it.
#include "check.h"

#include <semaphore.h>
#include <signal.h>
#include <sys/syscall.h>

static sem_t second;
static volatile int stop;

static void* wait_for_both(void* unused) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGUSR2);
  int sig;
  CHECK_OK(sigwait(&set, &sig));
  CHECK_EQ(sig, SIGUSR1);
  CHECK_OK(sem_wait(&second));
  return unused;
}

static void* wait_for_second(void* unused) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  int sig;
  CHECK_OK(sigwait(&set, &sig));
  sem_post(&second);
  return unused;
}

static void on_first(int sig) {
  (void)sig;
  while (sem_wait(&second)) continue;
  stop = 1;
}

static void on_second(int sig) {
  (void)sig;
  sem_post(&second);
}

static void* accept_both(void* unused) {
  sigset_t none;
  sigemptyset(&none);
  CHECK_OK(pthread_sigmask(SIG_SETMASK, &none, NULL));
  while (!stop) sleep_ms(1);
  return unused;
}

static void try(void* (*one)(void*), void* (*other)(void*)) {
  pthread_t threads[2];
  stop = 0;
  CHECK_OK(pthread_create(&threads[0], NULL, one, NULL));
  CHECK_OK(pthread_create(&threads[1], NULL, other, NULL));
  sleep_ms(20);
  // Neither has run when both are sent.
  CHECK_OK(syscall(SYS_kill, getpid(), SIGUSR1));
  CHECK_OK(syscall(SYS_kill, getpid(), SIGUSR2));
  for (int i = 0; i < 2; ++i) CHECK_OK(pthread_join(threads[i], NULL));
}

int main(void) {
  CHECK_OK(sem_init(&second, 0, 0));
  sigset_t all;
  sigfillset(&all);
  CHECK_OK(pthread_sigmask(SIG_SETMASK, &all, NULL));
  for (int i = 0; i < 5; ++i) try(wait_for_both, wait_for_second);
  struct sigaction first = {.sa_handler = on_first}, then = {.sa_handler = on_second};
  sigaddset(&first.sa_mask, SIGUSR2);
  CHECK_OK(sigaction(SIGUSR1, &first, NULL));
  CHECK_OK(sigaction(SIGUSR2, &then, NULL));
  for (int i = 0; i < 5; ++i) try(accept_both, accept_both);
  return 0;
}
