// Called by syscall(2), setresuid and its kin change the calling thread and those that it creates;
// by libc's functions, the process. Where threads then disagree on whether it may be done, libc
// aborts.
#include "check.h"

#include <grp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { OTHERS = 4, SOME = 2001, OTHER = 65534 };
static pthread_barrier_t barrier;

static void is(uid_t uid, gid_t gid) {
  CHECK_EQ(geteuid(), uid);
  CHECK_EQ(getegid(), gid);
}

static void* heir(void* unused) {
  is(0, SOME);
  return unused;
}

static void* changer(void* unused) {
  CHECK_OK(syscall(SYS_setresgid, -1, SOME, -1));
  gid_t group = SOME;
  CHECK_OK(syscall(SYS_setgroups, 1, &group));
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < 50; i++, sched_yield()) is(0, SOME);
  CHECK_EQ(getgroups(1, &group), 1);
  join(spawn(heir, NULL));
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  is(OTHER, SOME);
  return unused;
}

static void* other(void* unused) {
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < 50; i++, sched_yield()) is(0, 0);
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  is(OTHER, 0);
  return unused;
}

static void both(void) {
  CHECK_OK(pthread_barrier_init(&barrier, NULL, OTHERS + 2));
  pthread_t threads[OTHERS + 1];
  for (int i = 0; i <= OTHERS; i++) threads[i] = spawn(i == 2 ? changer : other, NULL);
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < 50; i++, sched_yield()) is(0, 0);
  pthread_barrier_wait(&barrier);
  CHECK_OK(seteuid(OTHER));
  is(OTHER, 0);
  pthread_barrier_wait(&barrier);
  for (int i = 0; i <= OTHERS; i++) join(threads[i]);
  CHECK_OK(seteuid(0));
}

static void* drops(void* unused) {
  CHECK_OK(syscall(SYS_setresuid, SOME, SOME, SOME));
  pthread_barrier_wait(&barrier);
  for (;;) pause();
  return unused;
}

static void disagree(void) {
  CHECK_OK(pthread_barrier_init(&barrier, NULL, 2));
  spawn(drops, NULL);
  pthread_barrier_wait(&barrier);
  _exit(setresuid(OTHER, OTHER, OTHER) == 0 ? 1 : 2);
}

static int run(void (*part)(void)) {
  pid_t child = fork();
  if (child == 0) {
    part();
    _exit(0);
  }
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  return status;
}

int main(void) {
  if (geteuid() != 0) return puts("needs root"), 0;
  CHECK_EQ(run(both), 0);
  int status = run(disagree);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
  puts("each as asked");
}
