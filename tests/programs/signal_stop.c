// Job control: a stop signal stops the process and SIGCONT lets it go on; blocked by every thread
// it stays pending and can be waited for, and so does SIGABRT; abort still ends the process.
#include "check.h"

#include <signal.h>
#include <sys/wait.h>

static int ready[2];
static sigset_t set;

static void* counts(void* counter) {
  for (;;) {
    __atomic_add_fetch((int*)counter, 1, __ATOMIC_SEQ_CST);
    sleep_ms(1);
  }
  return counter;
}

static void* waits(void* unused) {
  for (;;) {
    int number;
    CHECK_OK(sigwait(&set, &number));
    if (number == SIGABRT) abort();
    char c = (char)number;
    CHECK_EQ(write(ready[1], &c, 1), 1);
  }
  return unused;
}

// A process that has threads; with `blocking`, all block the signals and one waits for them.
static pid_t start(int blocking) {
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    alarm(20);
    CHECK_OK(setpgid(0, 0));
    if (blocking) CHECK_OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    int counter = 0;
    spawn(counts, &counter);
    if (blocking) spawn(waits, NULL);
    AWAIT(__atomic_load_n(&counter, __ATOMIC_SEQ_CST) > 3);
    CHECK_EQ(write(ready[1], "r", 1), 1);
    for (;;) sleep_ms(1000);
  }
  char c;
  CHECK_EQ(read(ready[0], &c, 1), 1);
  return child;
}

static void ends_by(pid_t child, int number) {
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK(WIFSIGNALED(status));
  CHECK_EQ(WTERMSIG(status), number);
}

int main(void) {
  int status;
  char c;
  int numbers[] = {SIGTSTP, SIGTTIN, SIGTTOU};
  CHECK_OK(pipe(ready));
  sigemptyset(&set);
  for (int i = 0; i < 3; i++) sigaddset(&set, numbers[i]);
  sigaddset(&set, SIGABRT);

  pid_t child = start(0);
  for (int i = 0; i < 6; i++) {
    CHECK_OK(kill(child, numbers[i % 3]));
    CHECK_EQ(waitpid(child, &status, WUNTRACED), child);
    CHECK(WIFSTOPPED(status));
    CHECK_EQ(WSTOPSIG(status), numbers[i % 3]);
    CHECK_OK(kill(child, SIGCONT));
    CHECK_EQ(waitpid(child, &status, WCONTINUED), child);
    CHECK(WIFCONTINUED(status));
  }
  CHECK_OK(kill(child, SIGABRT));
  ends_by(child, SIGABRT);

  child = start(1);
  for (int i = 0; i < 30; i++) {
    CHECK_OK(kill(child, numbers[i % 3]));
    CHECK_EQ(read(ready[0], &c, 1), 1);
    CHECK_EQ(c, numbers[i % 3]);
    CHECK_EQ(waitpid(child, &status, WUNTRACED | WNOHANG), 0);
  }
  CHECK_OK(kill(child, SIGABRT));  // Its waiter aborts.
  ends_by(child, SIGABRT);
  puts("stopped, continued and ended");
}
