// exec from a thread that is not main replaces the process: same pid, other threads gone, signal
// mask kept, descriptors closed as marked.
#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

static char* self;
static int marked;

static void* forever(void* unused) {
  for (;;) pause();
  return unused;
}

static void* replace(void* unused) {
  char pid[16], fd[16];
  snprintf(pid, sizeof pid, "%d", getpid());
  snprintf(fd, sizeof fd, "%d", marked);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  CHECK_OK(pthread_sigmask(SIG_SETMASK, &set, NULL));
  CHECK_ERRNO(execl("/nowhere", "x", (char*)NULL), ENOENT);
  execl(self, self, "replaced", pid, fd, (char*)NULL);
  CHECK_FAIL("exec came back");
  return unused;
}

static void* work(void* argument) { return (char*)argument + 1; }

static int replaced(char** argv) {
  CHECK_EQ(getpid(), atoi(argv[2]));
  CHECK_ERRNO(fcntl(atoi(argv[3]), F_GETFD), EBADF);
  sigset_t mask;
  CHECK_OK(pthread_sigmask(SIG_SETMASK, NULL, &mask));
  for (int i = 1; i < 32; i++) CHECK_EQ(sigismember(&mask, i), i == SIGUSR2);
  CHECK(join(spawn(work, self)) == self + 1);  // Threads work here too.
  return 17;
}

int main(int argc, char** argv) {
  self = argv[0];
  if (argc > 3) return replaced(argv);
  for (int i = 0; i < 5; i++) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      marked = open("/dev/null", O_RDONLY | O_CLOEXEC);
      for (int t = 0; t < 4; t++) spawn(forever, NULL);
      spawn(replace, NULL);
      forever(NULL);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 17);
  }
  printf("5 replaced\n");
}
