// The alternate signal stack of a thread: told truly in handlers, put back when they return, taken
// away while they run if it disarms itself, known to a child that is forked in one, and also if it
// was there, and in use, before the first thread.
#include "check.h"

#include <signal.h>
#include <sys/wait.h>

enum { kSize = 64 * 1024 };
#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif

static __thread char* mine;
static volatile int depth;

static stack_t current(void) {
  stack_t now;
  CHECK_OK(sigaltstack(NULL, &now));
  return now;
}

static int on(const char* base) {
  char local;
  return &local > base && &local < base + kSize;
}

static void use(char* base, int flags) {
  stack_t stack = {.ss_sp = base, .ss_size = kSize, .ss_flags = flags};
  CHECK_OK(sigaltstack(&stack, NULL));
}

static void nested(int number) {
  (void)number;
  CHECK(on(mine));
  __atomic_add_fetch(&depth, 1, __ATOMIC_RELAXED);
}

static void on_own_stack(int number) {
  (void)number;
  CHECK(on(mine));
  CHECK_EQ(current().ss_flags, SS_ONSTACK);
  stack_t other = {.ss_sp = mine, .ss_size = kSize};
  CHECK_ERRNO(sigaltstack(&other, NULL), EPERM);
  raise(SIGUSR2);
  usleep(100);
}

static void changes(int number) {
  (void)number;
  CHECK(!on(mine));
  char* other = malloc(kSize);
  use(other, 0);
  CHECK(current().ss_sp == other);
}

static void disarmed(int number) {
  (void)number;
  CHECK(on(mine));
  CHECK_EQ(current().ss_flags, SS_DISABLE);
}

static void forks(int number) {
  (void)number;
  pid_t child = fork();
  if (child == 0) return;
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
}

static void handle(int number, void (*handler)(int), int flags) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
  CHECK_OK(sigaction(number, &action, NULL));
}

static void* body(void* unused) {
  sigset_t mask;
  sigemptyset(&mask);
  CHECK_OK(pthread_sigmask(SIG_SETMASK, &mask, NULL));
  mine = malloc(kSize);
  use(mine, 0);
  for (int i = 0; i < 20; i++) raise(SIGUSR1);
  raise(SIGALRM);
  CHECK(current().ss_sp == mine && current().ss_size == kSize && current().ss_flags == 0);
  use(mine, SS_AUTODISARM);
  raise(SIGURG);
  CHECK(current().ss_sp == mine && (unsigned)current().ss_flags == SS_AUTODISARM);
  use(mine, 0);
  pid_t self = getpid();
  raise(SIGHUP);
  CHECK_OK(pthread_sigmask(SIG_SETMASK, NULL, &mask));
  for (int s = 1; s < 32; s++) CHECK(!sigismember(&mask, s));
  CHECK(current().ss_sp == mine && current().ss_flags == 0);
  raise(SIGUSR1);
  if (getpid() != self) _exit(0);
  return unused;
}

static pthread_t first;
static void begins(int number) {
  (void)number;
  CHECK(on(mine));
  first = spawn(body, NULL);
  sleep_ms(2);
  CHECK(on(mine));
  CHECK_EQ(current().ss_flags, SS_ONSTACK);
}

int main(void) {
  handle(SIGUSR1, on_own_stack, SA_ONSTACK);
  handle(SIGUSR2, nested, SA_ONSTACK);
  handle(SIGALRM, changes, 0);
  handle(SIGURG, disarmed, SA_ONSTACK);
  handle(SIGHUP, forks, SA_ONSTACK);
  handle(SIGTERM, begins, SA_ONSTACK);
  mine = malloc(kSize);
  use(mine, 0);
  raise(SIGTERM);
  CHECK(current().ss_sp == mine && current().ss_flags == 0);
  pthread_t threads[8];
  for (int i = 0; i < 8; i++) threads[i] = spawn(body, NULL);
  for (int i = 0; i < 20; i++) raise(SIGUSR1);
  for (int i = 0; i < 8; i++) join(threads[i]);
  join(first);
  CHECK_EQ(depth, 9 * 21 + 20);
  puts("alternate stacks");
}
