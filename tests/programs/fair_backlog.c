// A thousand threads that another process answers at once, beside two that wait for each other's
// file lock and two that hand a turn back and forth: however many are ready, each goes on.
#include "check.h"

#include <fcntl.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { THREADS = 1000 };
static int ends[THREADS][2];
static volatile long rounds[THREADS];
static volatile int stop;

static void* asker(void* argument) {
  intptr_t number = (intptr_t)argument;
  char byte = 'q';
  while (!stop) {
    CHECK(write(ends[number][0], &byte, 1) == 1);
    CHECK(read(ends[number][0], &byte, 1) == 1);
    for (volatile int work = 0; work < 100000; work++) continue;  // so that most of them are ready
    rounds[number]++;
  }
  return NULL;
}

static void* locker(void* unused) {
  int fd = open("/proc/self/exe", O_RDONLY);
  CHECK(fd >= 0);
  while (!stop) {
    CHECK_OK(flock(fd, LOCK_EX));
    CHECK_OK(flock(fd, LOCK_UN));
  }
  CHECK_OK(close(fd));
  return unused;
}

static sem_t turns[2];
static volatile long handed;

static void* hander(void* argument) {
  intptr_t me = (intptr_t)argument;
  while (!stop) {
    while (sem_wait(&turns[me]) != 0) continue;
    handed++;
    CHECK_OK(sem_post(&turns[!me]));
  }
  CHECK_OK(sem_post(&turns[!me]));
  return NULL;
}

static void answer(void) {
  int poller = epoll_create1(0);
  for (int i = 0; i < THREADS; i++) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = ends[i][1]};
    CHECK_OK(close(ends[i][0]));
    CHECK_OK(epoll_ctl(poller, EPOLL_CTL_ADD, ends[i][1], &event));
  }
  for (int open = THREADS; open > 0;) {
    struct epoll_event ready[64];
    int n = epoll_wait(poller, ready, 64, -1);
    for (int i = 0; i < n; i++) {
      char byte;
      if (read(ready[i].data.fd, &byte, 1) == 1) {
        CHECK(write(ready[i].data.fd, &byte, 1) == 1);
      } else {
        CHECK_OK(close(ready[i].data.fd));
        open--;
      }
    }
  }
  _exit(0);
}

int main(void) {
  for (int i = 0; i < THREADS; i++) CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends[i]));
  for (int i = 0; i < 2; i++) CHECK_OK(sem_init(&turns[i], 0, i == 0));
  pid_t child = fork();
  if (child == 0) answer();
  for (int i = 0; i < THREADS; i++) CHECK_OK(close(ends[i][1]));
  static pthread_t threads[THREADS + 4];
  for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(asker, (void*)i);
  for (int i = 0; i < 2; i++) threads[THREADS + i] = spawn(locker, NULL);
  for (intptr_t i = 0; i < 2; i++) threads[THREADS + 2 + i] = spawn(hander, (void*)i);
  static long before[THREADS];
  for (int look = 0; look < 3; look++) {
    sleep_ms(300);
    for (int i = 0; i < THREADS; i++) before[i] = rounds[i];
    long handed_before = handed;
    for (int i = 0; i < THREADS; i++) AWAIT(rounds[i] != before[i]);
    AWAIT(handed > handed_before + 2);
  }
  stop = 1;
  for (int i = 0; i < THREADS + 4; i++) join(threads[i]);
  for (int i = 0; i < THREADS; i++) CHECK_OK(close(ends[i][0]));
  CHECK(waitpid(child, NULL, 0) == child);
  puts("everybody went on");
}
