// The first read of a FIFO that was just opened waits as any other: the rest of the program goes
// on, handlers end it, restart it or fork in it, it can be cancelled, and another thread may close
// it meanwhile.
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "net.h"

enum { kFifos = 8 };
static int readers[kFifos], writers[kFifos];
static volatile int reading;
static pid_t parent;
static volatile sig_atomic_t handled;

static void handler(int sig) { handled++; }

static void forks(int sig) {
  pid_t child = fork();
  CHECK(child >= 0);
  int status = 0;
  if (child > 0) CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
}

static void* first_read(void* fifo) {
  long i = (long)fifo;
  char name[16], byte = 0;
  snprintf(name, sizeof name, "fifo%ld", i);
  CHECK((readers[i] = open(name, O_RDONLY)) >= 0);
  __atomic_add_fetch(&reading, 1, __ATOMIC_SEQ_CST);
  errno = 0;
  long got = read(readers[i], &byte, 1);
  if (getpid() != parent) _exit(got == -1 && errno == EINTR ? 0 : 1);
  return (void*)(got < 0 ? -(long)errno : got == 0 ? 0 : (long)byte);
}

int main(void) {
  parent = getpid();
  pthread_t threads[kFifos];
  struct sigaction ends = {.sa_handler = handler},
                   restarts = {.sa_handler = handler, .sa_flags = SA_RESTART};
  CHECK_OK(sigaction(SIGUSR1, &ends, NULL));
  struct sigaction fork_and_end = {.sa_handler = forks};
  CHECK_OK(sigaction(SIGRTMIN, &fork_and_end, NULL));
  CHECK_OK(sigaction(SIGUSR2, &restarts, NULL));
  for (long i = 0; i < kFifos; i++) {
    char name[16];
    snprintf(name, sizeof name, "fifo%ld", i);
    CHECK_OK(mkfifo(name, 0600));
    threads[i] = spawn(first_read, (void*)i);
    CHECK((writers[i] = open(name, O_WRONLY)) >= 0);
  }
  AWAIT(reading == kFifos);
  sleep_ms(20);
  CHECK_OK(pthread_kill(threads[0], SIGUSR1));
  CHECK_EQ((long)join(threads[0]), -EINTR);
  CHECK_OK(pthread_kill(threads[1], SIGUSR2));
  AWAIT(handled == 2);
  CHECK_OK(pthread_cancel(threads[2]));
  CHECK(join(threads[2]) == PTHREAD_CANCELED);
  CHECK_OK(pthread_kill(threads[5], SIGRTMIN));
  CHECK_EQ((long)join(threads[5]), -EINTR);
  sleep_ms(50);  // the signals so far may have made a call that waits in the kernel begin again
  CHECK_OK(close(readers[3]));
  CHECK_OK(close(writers[4]));
  CHECK_EQ((long)join(threads[4]), 0);
  for (int i = 0; i < kFifos; i++) {
    if (i == 0 || i == 2 || i == 4 || i == 5) continue;
    CHECK_EQ(write(writers[i], "x", 1), 1);
    CHECK_EQ((long)join(threads[i]), 'x');
  }
  printf("%d handled\n", (int)handled);
}
