// Coverage: locks, conditions, joins, semaphores.
#include <dlfcn.h>
#include <link.h>
#include <linux/futex.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <threads.h>

#include "tests/coverage/cover.h"

// Beside the types of mutexes.
enum { kInherit = 16, kRobust = 32, kShared = 64 };

static struct objects {
  pthread_mutex_t mutex;
  pthread_cond_t cond;
  pthread_rwlock_t rwlock;
  sem_t sem;
} in_process, *objects = &in_process;
#define mutex (&objects->mutex)
#define cond (&objects->cond)
#define rwlock (&objects->rwlock)

static sem_t* sem = &in_process.sem;
static pthread_barrier_t barrier;
static pthread_spinlock_t spin;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static once_flag flag = ONCE_FLAG_INIT;
static pthread_t waiter;
static thrd_t thrd;
static mtx_t mtx;
static cnd_t cnd;
static unsigned word;

static void in_shared(void) {
  objects = mmap(NULL, sizeof *objects, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(objects != MAP_FAILED);
  sem = &objects->sem;
}

static struct timespec* in_ms(clockid_t clock, int ms) {
  static struct timespec t;
  t = after_ms(clock, ms);
  return &t;
}

static void make_unlocked(int kind) {
  pthread_mutexattr_t attr;
  CHECK_OK(pthread_mutexattr_init(&attr));
  if (kind & kInherit) CHECK_OK(pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT));
  if (kind & kRobust) CHECK_OK(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST));
  if (kind & kShared) CHECK_OK(pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED));
  CHECK_OK(pthread_mutexattr_settype(&attr, kind & 15));
  CHECK_OK(pthread_mutex_init(mutex, &attr));
}

static void make_mutex(int kind) {
  make_unlocked(kind);
  CHECK_OK(pthread_mutex_lock(mutex));
}

static void make_cond(int kind) {
  make_unlocked(kind);
  pthread_condattr_t attr;
  CHECK_OK(pthread_condattr_init(&attr));
  if (kind & kShared) CHECK_OK(pthread_condattr_setpshared(&attr, PTHREAD_PROCESS_SHARED));
  CHECK_OK(pthread_cond_init(cond, &attr));
}

static void signal_cond(void) {
  CHECK_OK(pthread_mutex_lock(mutex));
  CHECK_OK(pthread_cond_signal(cond));
  CHECK_OK(pthread_mutex_unlock(mutex));
}

static void make_rwlock(int write) {
  CHECK_OK(pthread_rwlock_init(rwlock, NULL));
  CHECK_OK(write ? pthread_rwlock_wrlock(rwlock) : pthread_rwlock_rdlock(rwlock));
}

static int wait_at_barrier(void) { return pthread_barrier_wait(&barrier); }

static void make_sem(int shared) { CHECK_OK(sem_init(sem, shared, 0)); }

// Process numbers are not the machine's where tests have PID namespaces; names are.
static void make_named_sem(void) {
  char name[64];
  snprintf(name, sizeof name, "/green-cover-%d-%lld", getpid(), (long long)now_ns(CLOCK_MONOTONIC));
  sem = sem_open(name, O_CREAT | O_EXCL, 0600, 0);
  CHECK(sem != SEM_FAILED);
  CHECK_OK(sem_unlink(name));
}

static void* wait_sem(void* unused) {
  CHECK_OK(sem_wait(sem));
  return unused;
}

static void start_waiter(void) {
  make_sem(0);
  waiter = spawn(wait_sem, NULL);
}

static void* exits(void* unused) {
  CHECK_OK(sem_wait(sem));
  pthread_exit(unused);
}
static void start_exiting(void) { waiter = spawn(exits, NULL); }

static void* cancelled(void* unused) {
  CHECK_OK(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL));
  CHECK_OK(sem_wait(sem));
  CHECK_OK(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL));
  pthread_testcancel();
  return unused;
}

static void start_cancelled(void) {
  make_sem(0);
  waiter = spawn(cancelled, NULL);
  CHECK_OK(pthread_cancel(waiter));
}

static void* cancel_result(void) { return join(waiter); }

static volatile int once_entered;
static void once_slow(void) {
  once_entered = 1;
  CHECK_OK(sem_wait(sem));
}

static void* runs_once(void* unused) {
  CHECK_OK(pthread_once(&once, once_slow));
  return unused;
}

static void start_once(void) {
  make_sem(0);
  spawn(runs_once, NULL);
  AWAIT(once_entered);
}

static int calls_once(void* unused) {
  call_once(&flag, once_slow);
  return 0;
}

static void start_call_once(void) {
  make_sem(0);
  CHECK_EQ(thrd_create(&thrd, calls_once, NULL), thrd_success);
  AWAIT(once_entered);
}

static int thrd_waits(void* unused) { return sem_wait(sem); }

static void start_thrd(void) {
  make_sem(0);
  CHECK_EQ(thrd_create(&thrd, thrd_waits, NULL), thrd_success);
}

static void make_mtx(void) {
  CHECK_EQ(mtx_init(&mtx, mtx_timed), thrd_success);
  CHECK_EQ(mtx_lock(&mtx), thrd_success);
}

static void make_cnd(void) {
  CHECK_EQ(mtx_init(&mtx, mtx_plain), thrd_success);
  CHECK_EQ(cnd_init(&cnd), thrd_success);
}

static void signal_cnd(void) {
  CHECK_EQ(mtx_lock(&mtx), thrd_success);
  CHECK_EQ(cnd_signal(&cnd), thrd_success);
  CHECK_EQ(mtx_unlock(&mtx), thrd_success);
}

static void wake_word(int operation) {
  word = 1;
  CHECK_EQ(syscall(SYS_futex, &word, operation, 1), 1);
}

static void lock_pi(void) { CHECK_OK(syscall(SYS_futex, &word, FUTEX_LOCK_PI_PRIVATE, 0, NULL)); }

// Another thread is in a callback of dl_iterate_phdr, which holds the loader's lock.
static int in_callback(struct dl_phdr_info* info, size_t size, void* unused) {
  once_entered = 1;
  return sem_wait(sem) + 1;
}

static void* iterates(void* unused) {
  CHECK_EQ(dl_iterate_phdr(in_callback, NULL), 1);
  return unused;
}

static void hold_loader(void) {
  make_sem(0);
  spawn(iterates, NULL);
  AWAIT(once_entered);
}

#define GOES_ON                                                                                    \
  "pthread_mutex_lock", "pthread_mutex_lock_recursive", "pthread_mutex_lock_errorcheck",           \
      "pthread_mutex_lock_adaptive", "pthread_mutex_lock_inherit", "pthread_mutex_lock_robust",    \
      "pthread_mutex_lock_shared", "pthread_mutex_lock_shared_robust", "pthread_mutex_timedlock",  \
      "pthread_mutex_clocklock", "pthread_rwlock_rdlock", "pthread_rwlock_wrlock",                 \
      "pthread_rwlock_wrlock_readers", "pthread_rwlock_timedrdlock", "pthread_rwlock_timedwrlock", \
      "pthread_rwlock_clockrdlock", "pthread_rwlock_clockwrlock", "pthread_barrier_wait",          \
      "pthread_once", "pthread_spin_lock", "mtx_lock", "mtx_timedlock", "call_once",               \
      "syscall_futex_wait", "syscall_futex_wait_shared", "syscall_futex_wait_bitset",              \
      "syscall_futex_lock_pi"
#define NOT_CANCELLED "dlopen"
#define FAMILY "tests/coverage/locks.inc"
#include "tests/coverage/cover_main.h"
