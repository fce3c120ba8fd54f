// A signal whose action is "ignore": kept while it is blocked, so that sigwait gets it, also one
// that comes during the wait, from here or from another process; dropped when the action becomes
// "ignore" and when nobody blocks it; still ignored by what the process executes.
#include "check.h"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

extern char** environ;

static void ignore(int number) {
  struct sigaction action = {.sa_handler = SIG_IGN};
  CHECK_OK(sigaction(number, &action, NULL));
}

static sigset_t set_of(int number) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  return set;
}

static void block(int how, int number) {
  sigset_t set = set_of(number);
  CHECK_OK(pthread_sigmask(how, &set, NULL));
}

static int pending(int number) {
  sigset_t set;
  CHECK_OK(sigpending(&set));
  return sigismember(&set, number);
}

static void send_from_child(pid_t parent, int number) {
  pid_t child = fork();
  if (child == 0) _exit(kill(parent, number));
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
}

static void* waits(void* number) {
  sigset_t set = set_of((int)(intptr_t)number);
  int got;
  CHECK_OK(sigwait(&set, &got));
  CHECK_EQ(got, (intptr_t)number);
  return NULL;
}

// What the shell that is executed thinks of SIGUSR1 and SIGUSR2: it lives when they are ignored.
static char* const kShell[] = {"sh", "-c", "kill -USR1 $$; kill -USR2 $$; exit 7", NULL};

static void check_status(pid_t child) {
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static void* executes(void* unused) {
  pid_t child;
  CHECK_OK(posix_spawn(&child, "/bin/sh", NULL, NULL, kShell, environ));
  check_status(child);
  child = vfork();
  if (child == 0) {
    execv("/bin/sh", kShell);
    _exit(1);
  }
  check_status(child);
  child = fork();
  if (child == 0) {
    execv("/bin/sh", kShell);
    _exit(1);
  }
  check_status(child);
  child = fork();
  if (child == 0) {
    CHECK_OK(kill(getpid(), SIGRTMIN));
    join(spawn(waits, (void*)(intptr_t)SIGRTMIN));
    execv("/bin/sh", kShell);
    _exit(1);
  }
  check_status(child);
  return unused;
}

int main(void) {
  ignore(SIGUSR1);
  ignore(SIGRTMIN);
  block(SIG_BLOCK, SIGUSR1);
  block(SIG_BLOCK, SIGRTMIN);
  CHECK_OK(kill(getpid(), SIGUSR1));
  join(spawn(waits, (void*)(intptr_t)SIGUSR1));
  send_from_child(getpid(), SIGUSR1);
  CHECK(pending(SIGUSR1));
  join(spawn(waits, (void*)SIGUSR1));
  for (int i = 0; i < 3; i++) {
    pthread_t waiter = spawn(waits, (void*)(intptr_t)SIGUSR1);
    sleep_ms(20);
    i == 0   ? (void)kill(getpid(), SIGUSR1)
    : i == 1 ? send_from_child(getpid(), SIGUSR1)
             : (void)pthread_kill(waiter, SIGUSR1);
    join(waiter);
  }

  ignore(SIGUSR2);
  CHECK_OK(kill(getpid(), SIGUSR2));
  send_from_child(getpid(), SIGUSR2);
  CHECK(!pending(SIGUSR2));

  raise(SIGUSR1);
  CHECK_OK(kill(getpid(), SIGUSR1));
  CHECK(pending(SIGUSR1));
  ignore(SIGUSR1);
  CHECK(!pending(SIGUSR1));
  raise(SIGUSR1);
  block(SIG_UNBLOCK, SIGUSR1);
  CHECK(!pending(SIGUSR1));

  join(spawn(executes, NULL));
  execv("/bin/sh", (char* const[]){"sh", "-c", "kill -USR1 $$; kill -USR2 $$; echo ignored", NULL});
}
