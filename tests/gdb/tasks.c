// Threads in each kind of wait, for gdb to look at. With an argument it then dumps core; otherwise
// it ends well when a byte comes in.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int fds[2];
static volatile int go_on = 1;
static int ready;
__thread int mine = -1;

static const char* const names[] = {"locker", "reader", "sleeper", "hog"};
enum { kLocker, kReader, kSleeper, kHog, kThreads };

__attribute__((noinline)) static void wait_in(int depth, int kind) {
  char c;
  if (depth) {
    wait_in(depth - 1, kind);
    __asm__ volatile("" ::: "memory");  // no tail call
    return;
  }
  __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
  if (kind == kLocker) {
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
  } else if (kind == kReader) {
    if (read(fds[0], &c, 1) != 1) abort();
  } else if (kind == kSleeper) {
    nanosleep(&(struct timespec){.tv_sec = 1000}, NULL);  // until it is cancelled
  } else {
    while (go_on) continue;
  }
}

static void* body(void* arg) {
  const int kind = (int)(long)arg;
  mine = 100 + kind;
  pthread_setname_np(pthread_self(), names[kind]);
  wait_in(3, kind);
  return mine == 100 + kind ? NULL : arg;
}

int main(int argc, char** argv) {
  pthread_t threads[kThreads];
  if (pipe(fds)) return 1;
  pthread_mutex_lock(&lock);
  for (long kind = 0; kind < kThreads; ++kind)
    pthread_create(&threads[kind], NULL, body, (void*)kind);
  while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) < kThreads)
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
  puts("ready");
  fflush(stdout);
  if (argc > 1) abort();
  char c;
  if (read(0, &c, 1) != 1) return 1;
  go_on = 0;
  if (write(fds[1], &c, 1) != 1) return 1;
  pthread_mutex_unlock(&lock);
  pthread_cancel(threads[kSleeper]);
  for (int kind = 0; kind < kThreads; ++kind) {
    void* result;
    pthread_join(threads[kind], &result);
    if (result != (kind == kSleeper ? PTHREAD_CANCELED : NULL)) return 1;
  }
  puts("ended well");
  return 0;
}
