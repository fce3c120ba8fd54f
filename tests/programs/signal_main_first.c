// A signal for the process interrupts the main thread's poll, as Linux prefers the main thread,
// however busy the others are: servers end this way on SIGTERM.
#include "check.h"

#include <poll.h>
#include <signal.h>

enum { THREADS = 8, ROUNDS = 300 };
static volatile sig_atomic_t handled;
static int stop;

static void handler(int number) { handled = number; }

static void* body(void* unused) {
  while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
    for (volatile int i = 0; i < 20000; i++) {
    }
    usleep(50);
  }
  return unused;
}

static void* sender(void* unused) {
  // Again, should the first have come before the poll.
  while (!handled) {
    usleep(300);
    CHECK_OK(kill(getpid(), SIGUSR1));
  }
  return unused;
}

int main(void) {
  struct sigaction action = {.sa_handler = handler};
  CHECK_OK(sigaction(SIGUSR1, &action, NULL));
  CHECK_OK(sigaction(SIGALRM, &action, NULL));
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) threads[i] = spawn(body, NULL);
  for (int i = 0; i < ROUNDS; i++) {
    handled = 0;
    pthread_t other = i % 2 ? spawn(sender, NULL) : 0;
    if (i % 2 == 0) ualarm(500, 5000);
    while (!handled) CHECK_ERRNO(poll(NULL, 0, 10000), EINTR);
    if (i % 2 == 0) ualarm(0, 0);
    if (other) join(other);
  }
  __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  printf("%d interruptions\n", ROUNDS);
}
