// Processes made by clone(2) on a stack of their own, with a copy of the memory, as programs do for
// namespaces; and one whose creator waits until it has ended, while other threads go on.
#include "check.h"

#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static char stack[1 << 16] __attribute__((aligned(16)));
static volatile int stop;
static volatile long rounds;

static void* nothing(void* a) { return a; }

static int child(void* argument) {
  char here;
  CHECK(&here > stack && &here < stack + sizeof stack);
  sleep_ms(*(int*)argument);
  join(spawn(nothing, NULL));  // it may have threads of its own
  return 42;
}

static void creates(int flags, int ms) {
  int status;
  memset(stack, 0, sizeof stack);
  const pid_t pid = clone(child, stack + sizeof stack, flags | SIGCHLD, &ms);
  CHECK(pid > 0);
  CHECK_EQ(stack[sizeof stack / 2], 0);
  CHECK_EQ(waitpid(pid, &status, 0), pid);
  CHECK_EQ(status, 42 << 8);
}

static void ends(void) {
  join(spawn(nothing, NULL));
  _exit(43);
}

static void creates_by_clone3(void) {
  const size_t size = sizeof stack - 64;  // so that `ends` is as if called
  *(void (**)(void))(stack + size) = ends;
  struct clone_args args = {.exit_signal = SIGCHLD, .stack = (uintptr_t)stack, .stack_size = size};
  long pid, rsi = sizeof args;
  __asm__ volatile(
      "syscall\n"
      "test %%eax, %%eax\n"
      "jnz 1f\n"
      "ret\n"
      "1:"
      : "=a"(pid), "+S"(rsi)
      : "0"(SYS_clone3), "D"(&args)
      : "rcx", "r11", "memory");
  int status;
  CHECK(pid > 0);
  CHECK_EQ(waitpid((pid_t)pid, &status, 0), pid);
  CHECK_EQ(status, 43 << 8);
}

static void* counts(void* unused) {
  while (!stop) {
    rounds = rounds + 1;
    sleep_ms(1);
  }
  return NULL;
}

static void* creates_here(void* unused) {
  for (int i = 0; i < 10; i++) creates(0, 0);
  creates_by_clone3();
  const long before = rounds;
  creates(CLONE_VFORK, 200);
  CHECK(rounds > before + 10);
  return NULL;
}

int main(void) {
  pthread_t counter = spawn(counts, NULL);
  join(spawn(creates_here, NULL));
  creates_here(NULL);
  stop = 1;
  join(counter);
  puts("ok");
  return 0;
}
