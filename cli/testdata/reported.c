// Waits of each kind that the report tells of, each in a function of its own; then the process
// ends, in the way asked for:
//
//   reported return | _exit | abort | term | pthread_exit | fork | stay (until its input ends)

#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define APART __attribute__((noinline))
#define NO_TAIL_CALL __asm__ volatile("")

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char path[] = "/tmp/reported.XXXXXX";

APART static void take_mutex(void) {
  pthread_mutex_lock(&mutex);
  usleep(2000);
  pthread_mutex_unlock(&mutex);
}

APART static void lock_file(void) {
  const int fd = open(path, O_RDONLY);
  flock(fd, LOCK_EX);
  usleep(30000);
  close(fd);
}

// A sleep that only the kernel knows of: in code that was written a moment ago.
APART static void sleep_unseen(void) {
  static const unsigned char code[] = {0xb8, 35, 0, 0, 0, 0x0f, 0x05, 0xc3};  // nanosleep; ret
  void* page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memcpy(page, code, sizeof code);
  mprotect(page, 4096, PROT_READ | PROT_EXEC);
  const struct timespec half = {0, 500 * 1000 * 1000};
  ((long (*)(const struct timespec*, void*))page)(&half, NULL);
  NO_TAIL_CALL;
}

static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_mutex_t cond_mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t go;
static int told;

APART static void await_condition(void) {
  pthread_mutex_lock(&cond_mutex);
  while (!told) pthread_cond_wait(&cond, &cond_mutex);
  pthread_mutex_unlock(&cond_mutex);
}

APART static void await_semaphore(void) {
  sem_wait(&go);
  NO_TAIL_CALL;
}

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;

APART static void read_shared(void) {
  pthread_rwlock_rdlock(&rwlock);
  pthread_rwlock_unlock(&rwlock);
}

APART static void write_shared(void) {
  pthread_rwlock_wrlock(&rwlock);
  pthread_rwlock_unlock(&rwlock);
}

APART static void meet(void) {
  pthread_barrier_wait(&barrier);
  NO_TAIL_CALL;
}

APART static void tell(void) {
  usleep(30000);
  sem_post(&go);
  usleep(30000);
  pthread_mutex_lock(&cond_mutex);
  told = 1;
  pthread_cond_broadcast(&cond);
  pthread_mutex_unlock(&cond_mutex);
  pthread_rwlock_unlock(&rwlock);
  pthread_barrier_wait(&barrier);
}

static void* awaiter(void* arg) {
  await_semaphore();
  sem_post(&go);
  await_condition();
  return arg;
}

static void* locker(void* arg) {
  for (int i = 0; i < 20; i++) take_mutex();
  return arg;
}

static void* filer(void* arg) {
  lock_file();
  return arg;
}

static void* sleeper(void* arg) {
  sleep_unseen();
  return arg;
}

static void* reader(void* arg) {
  read_shared();
  return arg;
}

static void* writer(void* arg) {
  write_shared();
  return arg;
}

static void* meeter(void* arg) {
  meet();
  return arg;
}

int main(int argc, char** argv) {
  const char* end = argc > 1 ? argv[1] : "return";
  void* (*const bodies[])(void*) = {locker, locker, locker, filer,   filer,  sleeper,
                                    locker, locker, locker, awaiter, locker, awaiter,
                                    locker, reader, writer, meeter};
  enum { kThreads = sizeof bodies / sizeof bodies[0] };
  pthread_t threads[kThreads];
  close(mkstemp(path));
  pthread_barrier_init(&barrier, NULL, 2);
  pthread_rwlock_wrlock(&rwlock);
  for (int i = 0; i < kThreads; i++)
    if (pthread_create(&threads[i], NULL, bodies[i], NULL)) abort();
  tell();
  for (int i = 0; i < kThreads; i++) pthread_join(threads[i], NULL);
  unlink(path);
  if (!strcmp(end, "_exit")) _exit(7);
  if (!strcmp(end, "abort")) abort();
  if (!strcmp(end, "term")) raise(SIGTERM);
  if (!strcmp(end, "pthread_exit")) pthread_exit(NULL);
  if (!strcmp(end, "stay")) {
    puts("all joined");
    fflush(stdout);
    getchar();
  }
  if (!strcmp(end, "fork")) {
    const pid_t child = fork();
    if (child == 0) return 0;
    waitpid(child, NULL, 0);
  }
  return 7;
}
