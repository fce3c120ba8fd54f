// Time-outs of centuries, of INT_MAX milliseconds, below zero and out of range, of all that takes
// one: who waits goes on waiting until there is something; what is wrong is refused as natively.
#include "net.h"

#include <limits.h>
#include <mqueue.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/sem.h>

static int fds[2], epoll, set;
static mqd_t queue;
static sem_t semaphore;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, held = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static int released;
static struct timespec asked;
static const int ms[] = {INT_MAX, -1, INT_MIN};

static long or_errno(long r) { return r == -1 ? -errno : r; }

static long call(long which) {
  struct timespec t = asked;
  struct timeval tv = {t.tv_sec, t.tv_nsec / 1000};
  struct pollfd p = {fds[0], POLLIN, 0};
  struct epoll_event event;
  struct sembuf down = {0, -1, 0};
  sigset_t usr2;
  char text[16];
  fd_set in;
  FD_ZERO(&in);
  FD_SET(fds[0], &in);
  sigemptyset(&usr2);
  sigaddset(&usr2, SIGUSR2);
  int r = 0;
  switch (which) {
    case 0: return or_errno(ppoll(&p, 1, &t, NULL));
    case 1: return or_errno(select(fds[0] + 1, &in, NULL, NULL, &tv));
    case 2: return or_errno(pselect(fds[0] + 1, &in, NULL, NULL, &t, NULL));
    case 3: return or_errno(epoll_pwait2(epoll, &event, 1, &t, NULL));
    case 4: return or_errno(sem_timedwait(&semaphore, &t));
    case 5: return or_errno(sem_clockwait(&semaphore, CLOCK_MONOTONIC, &t));
    case 6: return pthread_mutex_timedlock(&held, &t) ?: pthread_mutex_unlock(&held);
    case 7: return pthread_rwlock_timedrdlock(&rwlock, &t) ?: pthread_rwlock_unlock(&rwlock);
    case 8: return or_errno(semtimedop(set, &down, 1, &t));
    case 9: return or_errno(mq_timedreceive(queue, text, sizeof text, NULL, &t));
    case 10: return or_errno(sigtimedwait(&usr2, NULL, &t));
    case 11:
      CHECK_OK(pthread_mutex_lock(&mutex));
      while (!released && !r) r = pthread_cond_timedwait(&cond, &mutex, &t);
      CHECK_OK(pthread_mutex_unlock(&mutex));
      return r;
    case 12: return or_errno(nanosleep(&t, NULL));
    case 13: return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
  }
  which -= 14;
  if (which < 3) return or_errno(poll(&p, 1, ms[which]));
  return or_errno(epoll_wait(epoll, &event, 1, ms[which - 3]));
}

enum { WITH_TIME = 14, CALLS = WITH_TIME + 6 };
static int done[CALLS];

static int is_done(long which) { return __atomic_load_n(&done[which], __ATOMIC_SEQ_CST); }

static void* body(void* which) {
  const long r = call((long)which);
  __atomic_store_n(&done[(long)which], 1, __ATOMIC_SEQ_CST);
  return (void*)r;
}

static void handler(int unused) {}

// The first signals may come before it sleeps.
static void interrupt(pthread_t thread, long which) {
  while (!is_done(which)) {
    CHECK_OK(pthread_kill(thread, SIGUSR1));
    sleep_ms(5);
  }
}

static void centuries(time_t seconds) {
  pthread_t threads[CALLS];
  char byte;
  asked = (struct timespec){seconds, 999999999};
  released = 0;
  memset(done, 0, sizeof done);
  CHECK_OK(pthread_mutex_lock(&held));
  CHECK_OK(pthread_rwlock_wrlock(&rwlock));
  for (long i = 0; i < CALLS; i++) threads[i] = spawn(body, (void*)i);
  sleep_ms(50);
  for (long i = 0; i < CALLS; i++) CHECK(!is_done(i));
  CHECK_OK(pthread_mutex_unlock(&held));
  CHECK_OK(pthread_rwlock_unlock(&rwlock));
  CHECK_EQ(write(fds[1], "x", 1), 1);
  CHECK_OK(sem_post(&semaphore));
  CHECK_OK(sem_post(&semaphore));
  CHECK_OK(semop(set, &(struct sembuf){0, 1, 0}, 1));
  CHECK_OK(mq_send(queue, "x", 1, 0));
  CHECK_OK(pthread_kill(threads[10], SIGUSR2));
  interrupt(threads[12], 12);
  interrupt(threads[13], 13);
  CHECK_OK(pthread_mutex_lock(&mutex));
  released = 1;
  CHECK_OK(pthread_cond_broadcast(&cond));
  CHECK_OK(pthread_mutex_unlock(&mutex));
  printf("%lld s:", (long long)seconds);
  for (int i = 0; i < CALLS; i++) printf(" %ld", (long)join(threads[i]));
  puts("");
  CHECK_EQ(read(fds[0], &byte, 1), 1);
}

int main(void) {
  struct sigaction action = {.sa_handler = handler};
  struct mq_attr small = {.mq_maxmsg = 1, .mq_msgsize = 16};
  struct epoll_event event = {EPOLLIN, {0}};
  char name[64];
  sigset_t usr2;
  sigemptyset(&usr2);
  sigaddset(&usr2, SIGUSR2);
  CHECK_OK(pthread_sigmask(SIG_BLOCK, &usr2, NULL));
  CHECK_OK(sigaction(SIGUSR1, &action, NULL));
  CHECK_OK(pipe(fds));
  CHECK((epoll = epoll_create1(0)) >= 0);
  CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &event));
  CHECK((set = semget(IPC_PRIVATE, 1, 0600)) >= 0);
  snprintf(name, sizeof name, "/timeouts_extreme.%d", getpid());
  CHECK((queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &small)) != (mqd_t)-1);
  CHECK_OK(mq_unlink(name));
  CHECK_OK(sem_init(&semaphore, 0, 0));
  const time_t seconds[] = {10000000000, INT64_MAX / 1000000000, INT64_MAX / 1000, INT64_MAX};
  for (int i = 0; i < 4; i++) centuries(seconds[i]);
  const struct timespec wrong[] = {{-1, 0}, {INT64_MIN, 0}, {0, -1}, {0, 1000000000}, {-1, -1}};
  CHECK_OK(pthread_mutex_lock(&held));
  CHECK_OK(pthread_rwlock_wrlock(&rwlock));
  for (int i = 0; i < 5; i++) {
    asked = wrong[i];
    released = 0;
    printf("%lld s %ld ns:", (long long)asked.tv_sec, asked.tv_nsec);
    for (int c = 0; c < WITH_TIME; c++) printf(" %ld", call(c));
    puts("");
  }
  CHECK_OK(semctl(set, 0, IPC_RMID));
}
