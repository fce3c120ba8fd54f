// Threads in every state that a reader from outside can tell, until standard input ends.
//
//   observed [deadlock | stuck | busy | spinners | locks]
//
// deadlock: two more threads wait for each other's mutex. stuck: nothing but two such threads.
// busy: two more threads hand a turn back and forth. spinners: another one that computes. locks: a
// thread for each kind of lock instead.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER, first = PTHREAD_MUTEX_INITIALIZER,
                       second = PTHREAD_MUTEX_INITIALIZER;
static pthread_t sleeper_thread;
static int pair[2], pipes[2], locked;
static sem_t turns[2], taken[2];
static char path[] = "/tmp/observed.XXXXXX";

static void* sleeper(void* arg) {
  sleep(1000);
  return arg;
}

__attribute__((noinline)) static void hold_it(void) {
  sleep(1001);
  __asm__ volatile("");  // no tail call
}

static void* holder(void* arg) {
  pthread_mutex_lock(&held);
  sem_post(&taken[0]);
  hold_it();
  return arg;
}

static void* waiter(void* arg) {
  pthread_mutex_lock(&held);
  return arg;
}

static void* joiner(void* arg) {
  pthread_join(sleeper_thread, NULL);
  return arg;
}

__attribute__((noinline)) static void read_request(int fd) {
  char c;
  if (read(fd, &c, 1) != 1) abort();
}

static void* reader(void* arg) {
  read_request(pair[0]);
  return arg;
}

static void* poller(void* arg) {
  struct pollfd p[2] = {{pipes[0], POLLIN, 0}, {pair[0], POLLPRI, 0}};
  poll(p, 2, -1);
  return arg;
}

static void* locker(void* arg) {
  flock(open("/proc/self/exe", 0), LOCK_SH);
  flock(locked, LOCK_EX);  // the main thread's other description has it
  return arg;
}

static void* spinner(void* arg) {
  for (volatile unsigned long i = 0;; i++) continue;
  return arg;
}

static void* one_way(void* arg) {
  pthread_mutex_lock(&first);
  sem_post(&taken[0]);
  sem_wait(&taken[1]);
  pthread_mutex_lock(&second);
  return arg;
}

static void* other_way(void* arg) {
  pthread_mutex_lock(&second);
  sem_post(&taken[1]);
  sem_wait(&taken[0]);
  pthread_mutex_lock(&first);
  return arg;
}

static void* player(void* arg) {
  const long me = (long)arg;
  for (;;) {
    sem_wait(&turns[me]);
    sem_post(&turns[!me]);
  }
  return arg;
}

static pthread_rwlock_t written = PTHREAD_RWLOCK_INITIALIZER,
                        read_by_two = PTHREAD_RWLOCK_INITIALIZER,
                        writers_first = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t three;

static void* reads(void* lock) {
  pthread_rwlock_rdlock(lock);
  sem_post(&taken[0]);
  sleep(1000);
  return lock;
}

static void* writes(void* lock) {
  pthread_rwlock_wrlock(lock);
  sem_post(&taken[0]);
  sleep(1000);
  return lock;
}

static void* waits_for_condition(void* arg) {
  pthread_mutex_lock(&first);
  pthread_cond_wait(&never, &first);
  return arg;
}

static void* waits_for_semaphore(void* arg) {
  sem_wait(&turns[0]);
  return arg;
}

static void* waits_at_barrier(void* arg) {
  pthread_barrier_wait(&three);
  return arg;
}

static void* locks_timed(void* arg) {
  const struct timespec late = {time(NULL) + 1000, 0};
  pthread_mutex_timedlock(&second, &late);
  return arg;
}

static pthread_t start(const char* name, void* (*body)(void*), void* arg) {
  pthread_t t;
  if (pthread_create(&t, NULL, body, arg) != 0) abort();
  pthread_setname_np(t, name);
  return t;
}

static void start_locks(void) {
  pthread_barrier_init(&three, NULL, 3);
  pthread_mutex_lock(&second);
  start("writer", writes, &written);
  start("two-1", reads, &read_by_two);
  start("two-2", reads, &read_by_two);
  start("only", reads, &writers_first);
  for (int i = 0; i < 4; i++) sem_wait(&taken[0]);
  start("rd-waits", reads, &written);
  start("wr-waits", writes, &written);
  start("wr-readers", writes, &read_by_two);
  start("wr-first", writes, &writers_first);
  start("condition", waits_for_condition, NULL);
  start("semaphore", waits_for_semaphore, NULL);
  start("barrier", waits_at_barrier, NULL);
  start("timed", locks_timed, NULL);
  usleep(50000);  // wr-first waits: those who read come behind it
  start("rd-second", reads, &writers_first);
}

static void connect_pair(void) {
  struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof in;
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (void*)&in, sizeof in) || listen(listener, 1)) abort();
  getsockname(listener, (void*)&in, &size);
  pair[1] = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(pair[1], (void*)&in, sizeof in)) abort();
  pair[0] = accept(listener, NULL, NULL);
  close(listener);
  getsockname(pair[1], (void*)&in, &size);
  printf("peer 127.0.0.1:%d\n", ntohs(in.sin_port));
}

int main(int argc, char** argv) {
  const char* mode = argc > 1 ? argv[1] : "";
  char c;
  for (int i = 0; i < 2; i++) sem_init(&turns[i], 0, 0), sem_init(&taken[i], 0, 0);
  if (!strcmp(mode, "deadlock") || !strcmp(mode, "stuck")) {
    pthread_t a = start("one", one_way, NULL);
    start("other", other_way, NULL);
    if (!strcmp(mode, "stuck")) {
      puts("ready");
      fflush(stdout);
      pthread_join(a, NULL);
    }
  }
  if (!strcmp(mode, "locks")) {
    start_locks();
    puts("ready");
    fflush(stdout);
    while (read(0, &c, 1) == 1) continue;
    _exit(0);
  }
  connect_pair();
  locked = mkstemp(path);
  flock(open(path, 0), LOCK_EX);
  unlink(path);
  if (pipe(pipes)) abort();
  sleeper_thread = start("sleeper", sleeper, NULL);
  if (strcmp(mode, "deadlock")) {
    start("holder", holder, NULL);
    sem_wait(&taken[0]);
    start("waiter", waiter, NULL);
  }
  start("joiner", joiner, NULL);
  start("reader", reader, NULL);
  start("poller", poller, NULL);
  start("locker", locker, NULL);
  start("spinner", spinner, NULL);
  if (!strcmp(mode, "spinners")) start("spinner", spinner, NULL);
  if (!strcmp(mode, "busy")) {
    start("player", player, (void*)0);
    start("player", player, (void*)1);
    sem_post(&turns[0]);
  }
  puts("ready");
  fflush(stdout);
  while (read(0, &c, 1) == 1) continue;
  _exit(0);
}
