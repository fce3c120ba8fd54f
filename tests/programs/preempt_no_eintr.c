// Time slices are not seen by the program: while others compute on every CPU, no waiting call is
// interrupted, comes back early or short.
#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <semaphore.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { HOGS = 8, ROUNDS = 60 };
static int stop, bytes[2], packets[2];
static sem_t never;
static char path[] = "no_eintr_lock";

static void* hog(void* unused) {
  while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
    for (volatile int i = 0; i < 1000; i = i + 1) {
    }
  return unused;
}

static void* sleeps(void* unused) {
  for (int i = 0; i < ROUNDS; i++) {
    int64_t begin = now_ns(CLOCK_MONOTONIC);
    struct timespec t = to_timespec(3 * MS), until;
    CHECK_OK(nanosleep(&t, NULL));
    until = after_ms(CLOCK_REALTIME, 3);
    CHECK_ERRNO(sem_timedwait(&never, &until), ETIMEDOUT);
    CHECK_EQ(poll(NULL, 0, 3), 0);
    CHECK(now_ns(CLOCK_MONOTONIC) - begin >= 8 * MS);
  }
  return unused;
}

static void* reads(void* unused) {
  char got[4096];
  for (int i = 0; i < ROUNDS; i++) {
    CHECK_EQ(read(bytes[0], got, 1), 1);
    CHECK_EQ(recv(packets[0], got, sizeof got, MSG_WAITALL), (long)sizeof got);
  }
  return unused;
}

static void* writes(void* unused) {
  static char block[4096];
  for (int i = 0; i < ROUNDS; i++) {
    sleep_ms(2);
    CHECK_EQ(write(bytes[1], block, 1), 1);
    CHECK_EQ(send(packets[1], block, sizeof block / 2, 0), (long)sizeof block / 2);
    sleep_ms(2);
    CHECK_EQ(send(packets[1], block, sizeof block / 2, 0), (long)sizeof block / 2);
  }
  return unused;
}

static void* locks(void* unused) {
  int fd = open(path, O_CREAT | O_RDWR, 0600);
  for (int i = 0; i < ROUNDS; i++) {
    CHECK_OK(flock(fd, LOCK_EX));
    sleep_ms(1);
    CHECK_OK(flock(fd, LOCK_UN));
  }
  close(fd);
  return unused;
}

static void* waits(void* unused) {
  for (int i = 0; i < ROUNDS / 4; i++) {
    int status;
    pid_t child = fork();
    if (child == 0) {
      usleep(5000);
      _exit(7);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(WEXITSTATUS(status), 7);
  }
  return unused;
}

int main(void) {
  void* (*const callers[])(void*) = {sleeps, reads, writes, locks, locks, waits};
  enum { CALLERS = sizeof callers / sizeof *callers };
  pthread_t hogs[HOGS], threads[CALLERS];
  CHECK_OK(pipe(bytes));
  CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, packets));
  CHECK_OK(sem_init(&never, 0, 0));
  for (int i = 0; i < HOGS; i++) hogs[i] = spawn(hog, NULL);
  for (int i = 0; i < CALLERS; i++) threads[i] = spawn(callers[i], NULL);
  for (int i = 0; i < CALLERS; i++) join(threads[i]);
  __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
  for (int i = 0; i < HOGS; i++) join(hogs[i]);
  unlink(path);
  puts("no call was interrupted");
}
