// A signal to the process goes to a thread that does not block it; raise and alarm work in threads;
// sigsuspend lets it in and returns with the mask as before.
#include "check.h"

#include <signal.h>

static pthread_t open_thread;
static volatile int wrong, handled, entered;
static __thread volatile int raised;

static void on_usr1(int number) {
  (void)number;
  if (!pthread_equal(pthread_self(), open_thread)) wrong++;
  __atomic_add_fetch(&handled, 1, __ATOMIC_SEQ_CST);
}

static void on_usr2(int number) { raised = number; }

static void* suspended(void* unused) {
  sigset_t empty, mask;
  sigemptyset(&empty);
  open_thread = pthread_self();
  __atomic_store_n(&entered, 1, __ATOMIC_SEQ_CST);
  for (int i = 1; i <= 20; i++) {
    CHECK_ERRNO(sigsuspend(&empty), EINTR);
    CHECK_EQ(handled, i);
    CHECK_OK(pthread_sigmask(SIG_SETMASK, NULL, &mask));
    CHECK(sigismember(&mask, SIGUSR1));
  }
  return unused;
}

static void* raiser(void* unused) {
  for (int i = 0; i < 20; i++) {
    raised = 0;
    CHECK_OK(raise(SIGUSR2));
    CHECK_EQ(raised, SIGUSR2);  // Before raise returned, on this thread.
    sched_yield();
  }
  return unused;
}

int main(void) {
  struct sigaction action = {.sa_handler = on_usr1};
  CHECK_OK(sigaction(SIGUSR1, &action, NULL));
  CHECK_OK(sigaction(SIGALRM, &action, NULL));
  action.sa_handler = on_usr2;
  CHECK_OK(sigaction(SIGUSR2, &action, NULL));
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGALRM);
  CHECK_OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
  pthread_t threads[] = {spawn(suspended, NULL), spawn(raiser, NULL), spawn(raiser, NULL)};
  AWAIT(__atomic_load_n(&entered, __ATOMIC_SEQ_CST));
  for (int i = 1; i <= 20; i++) {
    if (i % 2)
      CHECK_OK(kill(getpid(), SIGUSR1));
    else
      ualarm(1000, 0);
    AWAIT(__atomic_load_n(&handled, __ATOMIC_SEQ_CST) == i);
  }
  for (int i = 0; i < 3; i++) join(threads[i]);
  CHECK_EQ(wrong, 0);
  printf("%d handled\n", handled);
}
