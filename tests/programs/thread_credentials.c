// What the kernel keeps per thread stays with the thread that changed it, and with those it
// creates: file system user, capabilities, death signal; other threads go on as before, wherever
// they run.
#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum { OTHERS = 8, ROUNDS = 200 };
static char path[64];
static pthread_barrier_t changed, over;

static int can_open(void) {
  int fd = open(path, O_RDONLY);
  if (fd < 0) {
    CHECK_EQ(errno, EACCES);
    return 0;
  }
  CHECK_OK(close(fd));
  return 1;
}

static void* heir(void* unused) {
  CHECK_EQ(can_open(), 0);
  return unused;
}

static void* changer(void* unused) {
  CHECK_EQ(setfsuid(12345), 0);
  CHECK_OK(prctl(PR_SET_PDEATHSIG, SIGUSR1));
  pthread_barrier_wait(&changed);
  for (int i = 0; i < ROUNDS; i++) {
    CHECK_EQ(can_open(), 0);
    sched_yield();
  }
  join(spawn(heir, NULL));
  pthread_barrier_wait(&over);
  return unused;
}

static void* other(void* unused) {
  pthread_barrier_wait(&changed);
  for (int i = 0; i < ROUNDS; i++) {
    CHECK_EQ(can_open(), 1);
    int signal = -1;
    CHECK_OK(prctl(PR_GET_PDEATHSIG, &signal));
    CHECK_EQ(signal, 0);
    sched_yield();
  }
  pthread_barrier_wait(&over);
  return unused;
}

int main(void) {
  snprintf(path, sizeof path, "/tmp/thread_credentials.%d", getpid());
  if (geteuid() != 0) return puts("needs root"), 0;
  int fd = open(path, O_CREAT | O_RDWR | O_EXCL, 0600);
  CHECK(fd >= 0);
  CHECK_OK(pthread_barrier_init(&changed, NULL, OTHERS + 1));
  CHECK_OK(pthread_barrier_init(&over, NULL, OTHERS + 1));
  pthread_t threads[OTHERS + 1];
  for (int i = 0; i <= OTHERS; i++) threads[i] = spawn(i == 3 ? changer : other, NULL);
  for (int i = 0; i <= OTHERS; i++) join(threads[i]);
  for (int i = 0; i < 20; i++) CHECK_EQ(can_open(), 1);
  CHECK_OK(unlink(path));

  // A thread's own CPU time and policy.
  struct rusage before, after;
  CHECK_OK(getrusage(RUSAGE_THREAD, &before));
  int64_t until = now_ns(CLOCK_THREAD_CPUTIME_ID) + 30 * MS;
  while (now_ns(CLOCK_THREAD_CPUTIME_ID) < until) {
  }
  CHECK_OK(getrusage(RUSAGE_THREAD, &after));
  int64_t used = 0;
  used += (after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000 + after.ru_utime.tv_usec;
  used += (after.ru_stime.tv_sec - before.ru_stime.tv_sec) * 1000000 + after.ru_stime.tv_usec;
  used -= before.ru_utime.tv_usec + before.ru_stime.tv_usec;
  CHECK(used >= 20000 && used < 5000000);
  struct {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
  } attr = {.size = 48, .policy = 3 /* SCHED_BATCH */, .nice = 5};
  CHECK_OK(syscall(SYS_sched_setattr, 0, &attr, 0));
  attr.policy = attr.nice = 0;
  CHECK_OK(syscall(SYS_sched_getattr, gettid(), &attr, sizeof attr, 0));
  CHECK_EQ(attr.policy, 3);
  CHECK_EQ(attr.nice, 5);
  puts("kept apart");
}
