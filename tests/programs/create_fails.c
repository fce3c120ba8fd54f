// Threads that the kernel refuses (RLIMIT_NPROC): the first one, and one of SYSTEM scope where OS
// threads have ended before. Their creator is told, and those created later run.
#include "scope.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { FORKERS = 4, LOCKERS = 8 };

static void* nothing(void* argument) { return argument; }

static void* forks(void* unused) {
  const pid_t pid = fork();
  if (pid == 0) _exit(0);
  CHECK_EQ(waitpid(pid, NULL, 0), pid);
  return NULL;
}

static void* locks(void* fd) {
  CHECK_EQ(flock((int)(intptr_t)fd, LOCK_EX), 0);
  CHECK_EQ(close((int)(intptr_t)fd), 0);
  return NULL;
}

static void fails(pthread_attr_t* attr) {
  pthread_t thread;
  struct rlimit old, none;
  CHECK_EQ(getrlimit(RLIMIT_NPROC, &old), 0);
  none = old;
  none.rlim_cur = 1;
  CHECK_EQ(setrlimit(RLIMIT_NPROC, &none), 0);
  CHECK_EQ(pthread_create(&thread, attr, nothing, NULL), EAGAIN);
  CHECK_EQ(setrlimit(RLIMIT_NPROC, &old), 0);
}

int main(void) {
  int fds[LOCKERS];
  const int held = open("lock", O_RDWR | O_CREAT, 0600);
  CHECK_EQ(flock(held, LOCK_EX), 0);
  for (int i = 0; i < LOCKERS; i++) CHECK((fds[i] = open("lock", O_RDWR)) >= 0);
  // The limit is none of root's. Another user than that of a test that runs beside this one.
  if (geteuid() == 0) CHECK_EQ(setuid(1000000 + getpid()), 0);

  fails(NULL);

  pthread_t threads[LOCKERS];
  for (int i = 0; i < FORKERS; i++) threads[i] = spawn_scoped(PTHREAD_SCOPE_SYSTEM, forks, NULL);
  for (int i = 0; i < FORKERS; i++) join(threads[i]);
  pthread_attr_t attr;
  CHECK_OK(pthread_attr_init(&attr));
  CHECK_OK(pthread_attr_setscope(&attr, PTHREAD_SCOPE_SYSTEM));
  fails(&attr);
  for (int i = 0; i < LOCKERS; i++)
    threads[i] = spawn_scoped(PTHREAD_SCOPE_PROCESS, locks, (void*)(intptr_t)fds[i]);
  sleep_ms(50);
  CHECK_EQ(close(held), 0);
  for (int i = 0; i < LOCKERS; i++) join(threads[i]);
  puts("ok");
  return 0;
}
