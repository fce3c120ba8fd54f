// A thread that lets the stack pointer walk over data of its own, as code generators do, has an
// alternate stack for its handlers. Nothing is written beneath its stack pointer, neither by the
// signals that it gets nor because it must share the CPU. A handler that does not ask for the
// alternate stack runs on the one it interrupts.
#include "check.h"

#include <signal.h>

enum { THREADS = 4, WORDS = 8192, ROUNDS = 60, ALTERNATE = 64 << 10 };

static __thread char* alternate;
static __thread uint64_t* data;
static __thread volatile int asked, unasked;

static int within(const void* base, size_t size) {
  char here;
  return &here > (const char*)base && &here < (const char*)base + size;
}

static void asks(int number) {
  (void)number;
  CHECK(within(alternate, ALTERNATE));
  asked++;
}

static void does_not_ask(int number) {
  (void)number;
  CHECK(!within(alternate, ALTERNATE));
  unasked++;
}

static void block_only(int number) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  CHECK_OK(pthread_sigmask(SIG_SETMASK, &set, NULL));
}

// Counts with the stack pointer in the middle of the data.
static void count_there(long times, void* there) {
  __asm__ volatile(
      "movq %%rsp, %%rbx\n movq %1, %%rsp\n"
      "1: decq %0\n jnz 1b\n"
      "movq %%rbx, %%rsp"
      : "+r"(times)
      : "r"(there)
      : "rbx", "cc", "memory");
}

static void* body(void* unused) {
  alternate = malloc(ALTERNATE);
  data = malloc(WORDS * sizeof *data);
  stack_t stack = {.ss_sp = alternate, .ss_size = ALTERNATE};
  CHECK_OK(sigaltstack(&stack, NULL));
  block_only(SIGUSR2);
  for (int round = 0; round < ROUNDS; round++) {
    for (int i = 0; i < WORDS; i++) data[i] = (uint64_t)i * 3;
    count_there(3000000, data + WORDS / 2);
    for (int i = 0; i < WORDS; i++) CHECK_EQ(data[i], i * 3);
  }
  while (asked == 0) usleep(100);
  CHECK_EQ(unasked, 0);
  block_only(SIGUSR1);
  while (unasked < 3) count_there(100000, data + WORDS - 64);
  return unused;
}

int main(void) {
  struct sigaction action = {.sa_handler = asks, .sa_flags = SA_ONSTACK};
  CHECK_OK(sigaction(SIGUSR1, &action, NULL));
  action = (struct sigaction){.sa_handler = does_not_ask};
  CHECK_OK(sigaction(SIGUSR2, &action, NULL));
  sigset_t all;
  sigfillset(&all);
  CHECK_OK(pthread_sigmask(SIG_SETMASK, &all, NULL));
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) threads[i] = spawn(body, NULL);
  for (int i = 0; i < THREADS; i++) {
    int error;
    while ((error = pthread_tryjoin_np(threads[i], NULL)) == EBUSY) {
      pthread_kill(threads[i], SIGUSR1);
      pthread_kill(threads[i], SIGUSR2);
      sleep_ms(2);
    }
    CHECK_OK(error);
  }
  puts("nothing beneath");
}
