// The OS threads that a burst of blocked calls took are given back some seconds later.
#include "check.h"

#include <fcntl.h>
#include <sys/file.h>

enum { THREADS = 60 };
static const char path[] = "carriers_reaped.lock";
static int waiting;

static void* body(void* unused) {
  int fd = open(path, O_RDWR);
  CHECK(fd >= 0);
  __atomic_add_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
  CHECK_OK(flock(fd, LOCK_EX));
  CHECK_OK(close(fd));
  return unused;
}

static int os_threads(void) {
  char text[4096];
  int fd = open("/proc/self/status", O_RDONLY);
  ssize_t n = read(fd, text, sizeof text - 1);
  CHECK(n > 0);
  text[n] = 0;
  close(fd);
  const char* line = strstr(text, "\nThreads:");
  CHECK(line);
  return atoi(line + 9);
}

int main(void) {
  pthread_t threads[THREADS];
  for (int round = 0; round < 2; round++) {
    int fd = open(path, O_CREAT | O_RDWR, 0600);
    CHECK_OK(flock(fd, LOCK_EX));
    __atomic_store_n(&waiting, 0, __ATOMIC_SEQ_CST);
    for (int i = 0; i < THREADS; i++) threads[i] = spawn(body, NULL);
    AWAIT(__atomic_load_n(&waiting, __ATOMIC_SEQ_CST) == THREADS);
    AWAIT(os_threads() > THREADS);
    CHECK_OK(close(fd));
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    // At most 8 workers, as many spares, the monitor.
    AWAIT(os_threads() <= 18);
  }
  unlink(path);
  puts("given back");
}
