// SA_NODEFER, SA_RESETHAND, siginterrupt; and what a siginfo tells of raise, kill, sigqueue,
// pthread_kill, pthread_sigqueue and rt_tgsigqueueinfo, in a thread.
#include "check.h"

#include <signal.h>
#include <sys/syscall.h>

static volatile int depth, deepest, calls, restarts, interrupted;
static int piped[2];
static siginfo_t last;

static void nests(int sig) {
  if (++depth > deepest) deepest = depth;
  if (depth < 4) CHECK_OK(raise(sig));
  depth--;
  calls++;
}

static void notes(int sig, siginfo_t* info, void* unused) {
  last = *info;
  calls++;
}

static void handle(int sig, void* handler, int flags) {
  struct sigaction action = {.sa_flags = flags};
  if (flags & SA_SIGINFO)
    action.sa_sigaction = (void (*)(int, siginfo_t*, void*))handler;
  else
    action.sa_handler = (void (*)(int))handler;
  CHECK_OK(sigaction(sig, &action, NULL));
  calls = deepest = 0;
}

static void was(int sig, int code, int value) {
  CHECK_EQ(last.si_signo, sig);
  CHECK_EQ(last.si_code, code);
  CHECK_EQ(last.si_pid, getpid());
  CHECK_EQ(last.si_uid, getuid());
  if (code == SI_QUEUE) CHECK_EQ(last.si_value.sival_int, value);
  memset(&last, 0, sizeof last);
}

static void* tell(void* reader) {
  do {
    sleep_ms(10);
    CHECK_OK(pthread_kill(*(pthread_t*)reader, SIGUSR2));
  } while (!restarts && !interrupted);
  sleep_ms(10);
  CHECK_EQ(write(piped[1], "x", 1), 1);
  return NULL;
}

static void* body(void* unused) {
  handle(SIGUSR1, nests, SA_NODEFER);
  CHECK_OK(raise(SIGUSR1));
  CHECK(deepest == 4 && calls == 4);
  handle(SIGUSR1, nests, SA_RESETHAND | SA_NODEFER);
  deepest = 0, depth = 3;
  CHECK_OK(raise(SIGUSR1));
  depth = 0;
  struct sigaction now;
  CHECK_OK(sigaction(SIGUSR1, NULL, &now));
  CHECK(calls == 1 && now.sa_handler == SIG_DFL && (now.sa_flags & SA_RESETHAND));

  handle(SIGRTMIN + 1, notes, SA_SIGINFO);
  const union sigval value = {.sival_int = 4711};
  const int sig = SIGRTMIN + 1;
  CHECK_OK(raise(sig));
  was(sig, SI_TKILL, 0);
  CHECK_OK(pthread_kill(pthread_self(), sig));
  was(sig, SI_TKILL, 0);
  CHECK_OK(pthread_sigqueue(pthread_self(), sig, value));
  was(sig, SI_QUEUE, 4711);
  siginfo_t info = {.si_signo = sig, .si_code = -77};
  info.si_pid = getpid(), info.si_uid = getuid();
  CHECK_OK(syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), sig, &info));
  was(sig, -77, 0);
  calls = 0;
  CHECK_OK(sigqueue(getpid(), sig, value));
  AWAIT(calls == 1);
  was(sig, SI_QUEUE, 4711);
  CHECK_OK(kill(getpid(), sig));
  AWAIT(calls == 2);
  was(sig, SI_USER, 0);

  for (restarts = 0; restarts < 2; restarts++) {
    char byte;
    pthread_t self = pthread_self();
    interrupted = 0;
    handle(SIGUSR2, notes, SA_SIGINFO);
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    CHECK_OK(siginterrupt(SIGUSR2, !restarts));
    pthread_t teller = spawn(tell, &self);
    ssize_t n = read(piped[0], &byte, 1);
    if (!restarts) CHECK(n == -1 && errno == EINTR);
    for (interrupted = 1; n < 0 && !restarts; n = read(piped[0], &byte, 1)) {
    }
    CHECK_EQ(n, 1);
    join(teller);
    CHECK(calls >= 1);
  }
  return unused;
}

int main(void) {
  CHECK_OK(pipe(piped));
  join(spawn(body, NULL));
  puts("as asked");
}
