// Several threads try to exec what is not there, at once, again and again, while another process
// sends signals: each try fails at once, and no signal is lost.
#include "check.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

enum { THREADS = 4, FEWEST = 20, MOST = 2000, SIGNALS = 200 };

static _Atomic int handled;
static _Atomic int64_t longest;
static int64_t until;

static void count(int sig) {
  (void)sig;
  ++handled;
}

static void* try(void* unused) {
  char* nothing[] = {(char*)"nothing", NULL};
  for (int i = 0; next_round(i, FEWEST, MOST, until); i++) {
    const int64_t start = now_ns(CLOCK_MONOTONIC);
    CHECK_ERRNO(execv("/nonexistent/nothing", nothing), ENOENT);
    const int64_t took = now_ns(CLOCK_MONOTONIC) - start;
    int64_t last = longest;
    while (took > last && !atomic_compare_exchange_weak(&longest, &last, took)) {
    }
  }
  return unused;
}

int main(void) {
  struct sigaction action = {.sa_handler = count, .sa_flags = SA_RESTART};
  CHECK_OK(sigaction(SIGRTMIN, &action, NULL));
  const pid_t parent = getpid(), sender = fork();
  CHECK(sender >= 0);
  if (sender == 0) {
    for (int i = 0; i < SIGNALS; i++) {
      CHECK_OK(sigqueue(parent, SIGRTMIN, (union sigval){0}));
      usleep(2000);
    }
    _exit(0);
  }
  until = now_ns(CLOCK_MONOTONIC) + 2 * SECOND;
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) threads[i] = spawn(try, NULL);
  try(NULL);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  int status;
  CHECK_EQ(waitpid(sender, &status, 0), sender);
  CHECK_EQ(status, 0);
  AWAIT(handled == SIGNALS);
  if (getenv("SHOW")) printf("longest %.3f ms\n", longest / 1e6);
  puts("ok");
  return 0;
}
