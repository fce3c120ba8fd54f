// posix_spawn's attributes, from a thread whose mask and group are its own: signal mask, default
// and ignored signals, process group, session, scheduling; and a child is a child, reaped once.
#include "check.h"

#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

extern char** environ;
static char* self;

// What the spawned process finds, as text.
static void describe(void) {
  sigset_t mask;
  CHECK_OK(pthread_sigmask(SIG_SETMASK, NULL, &mask));
  struct sigaction usr1, usr2;
  CHECK_OK(sigaction(SIGUSR1, NULL, &usr1));
  CHECK_OK(sigaction(SIGUSR2, NULL, &usr2));
  printf("mask");
  for (int s = 1; s <= SIGRTMAX; s++)
    if (sigismember(&mask, s) == 1) printf(" %d", s);
  printf(" usr1 %s usr2 %s", usr1.sa_handler == SIG_IGN ? "ignored" : "default",
         usr2.sa_handler == SIG_IGN ? "ignored" : "default");
  printf(" leads%s%s policy %d\n", getpgrp() == getpid() ? " group" : "",
         getsid(0) == getpid() ? " session" : "", sched_getscheduler(0));
  exit(0);
}

static void expect(short flags, const char* want) {
  posix_spawnattr_t attr;
  CHECK_OK(posix_spawnattr_init(&attr));
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGRTMIN + 3);
  CHECK_OK(posix_spawnattr_setsigmask(&attr, &set));
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  CHECK_OK(posix_spawnattr_setsigdefault(&attr, &set));
  CHECK_OK(posix_spawnattr_setpgroup(&attr, 0));
  CHECK_OK(posix_spawnattr_setschedpolicy(&attr, SCHED_OTHER));
  CHECK_OK(posix_spawnattr_setschedparam(&attr, &(struct sched_param){0}));
  CHECK_OK(posix_spawnattr_setflags(&attr, flags));
  int fds[2], status;
  CHECK_OK(pipe(fds));
  posix_spawn_file_actions_t actions;
  CHECK_OK(posix_spawn_file_actions_init(&actions));
  CHECK_OK(posix_spawn_file_actions_adddup2(&actions, fds[1], 1));
  CHECK_OK(posix_spawn_file_actions_addclosefrom_np(&actions, 3));
  CHECK_OK(posix_spawn_file_actions_addchdir_np(&actions, "/"));
  pid_t child;
  CHECK_OK(posix_spawn(&child, self, &actions, &attr, (char*[]){self, "describe", NULL}, environ));
  CHECK_OK(close(fds[1]));
  FILE* stream = fdopen(fds[0], "r");
  char line[200] = "";
  CHECK(fgets(line, sizeof line, stream) != NULL);
  CHECK_OK(fclose(stream));
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
  line[strcspn(line, "\n")] = 0;
  if (strcmp(line, want)) CHECK_FAIL("flags %x: '%s', not '%s'", flags, line, want);
  CHECK_OK(posix_spawnattr_destroy(&attr));
  CHECK_OK(posix_spawn_file_actions_destroy(&actions));
}

static void* body(void* unused) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  CHECK_OK(pthread_sigmask(SIG_SETMASK, &set, NULL));
  for (int i = 0; i < 5; i++) {
    expect(0, "mask 15 usr1 ignored usr2 ignored leads policy 0");
    expect(POSIX_SPAWN_SETSIGMASK, "mask 1 37 usr1 ignored usr2 ignored leads policy 0");
    expect(POSIX_SPAWN_SETSIGDEF, "mask 15 usr1 default usr2 ignored leads policy 0");
    expect(POSIX_SPAWN_SETPGROUP, "mask 15 usr1 ignored usr2 ignored leads group policy 0");
    expect(POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK,
           "mask 1 37 usr1 ignored usr2 ignored leads group session policy 0");
    expect(POSIX_SPAWN_SETSCHEDULER | POSIX_SPAWN_RESETIDS,
           "mask 15 usr1 ignored usr2 ignored leads policy 0");
  }
  return unused;
}

int main(int argc, char** argv) {
  if (argc > 1) describe();
  self = realpath("/proc/self/exe", NULL);
  signal(SIGUSR1, SIG_IGN);
  signal(SIGUSR2, SIG_IGN);
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) threads[i] = spawn(body, NULL);
  for (int i = 0; i < 4; i++) join(threads[i]);
  CHECK_ERRNO(waitpid(-1, NULL, WNOHANG), ECHILD);
  puts("spawned with attributes");
}
