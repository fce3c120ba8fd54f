// A thread that has left its own stack, as language runtimes do, has an alternate one for faults. A
// handler that does not ask for that stack faults; the fault's handler makes the page writable, and
// all go on where they were.
#include "check.h"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { SIZE = 64 << 10, SIGNALS = 200 };

static char *page, *other_stack;
static volatile int started, handled, faults, finished;
static ucontext_t home, away;

static void on_fault(int number, siginfo_t* info, void* context) {
  (void)number, (void)context;
  volatile char room[16 << 10];
  for (size_t i = 0; i < sizeof room; i++) room[i] = (char)0xcc;
  CHECK_EQ((char*)info->si_addr, page);
  CHECK_OK(mprotect(page, 4096, PROT_READ | PROT_WRITE));
  faults++;
}

static void on_signal(int number) {
  CHECK((char*)&number > other_stack && (char*)&number < other_stack + SIZE);
  CHECK_OK(mprotect(page, 4096, PROT_READ));
  *(volatile char*)page = 1;
  handled++;
}

static void compute(void) {
  started = 1;
  while (handled < SIGNALS) continue;
  finished = 1;
}

static void* body(void* unused) {
  stack_t stack = {.ss_sp = malloc(SIZE), .ss_size = SIZE};
  CHECK_OK(sigaltstack(&stack, NULL));
  CHECK_OK(getcontext(&away));
  away.uc_stack = (stack_t){.ss_sp = other_stack, .ss_size = SIZE};
  away.uc_link = &home;
  makecontext(&away, compute, 0);
  CHECK_OK(swapcontext(&home, &away));
  return unused;
}

int main(void) {
  page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(page != MAP_FAILED);
  other_stack = malloc(SIZE);
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_ONSTACK | SA_SIGINFO};
  CHECK_OK(sigaction(SIGSEGV, &action, NULL));
  action = (struct sigaction){.sa_handler = on_signal};
  CHECK_OK(sigaction(SIGUSR1, &action, NULL));
  pthread_t thread = spawn(body, NULL);

  while (!started) usleep(100);
  while (!finished) {
    const int before = handled;
    CHECK_OK(pthread_kill(thread, SIGUSR1));
    while (handled == before && !finished) usleep(100);
  }
  CHECK_OK(pthread_join(thread, NULL));
  CHECK_EQ(faults, handled);
  puts("went on");
}
