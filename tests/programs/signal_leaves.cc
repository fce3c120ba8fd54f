// Handlers that do not return to where they came from: in a thread that waits, they throw, jump or
// end the thread; what was on the stack is cleaned up as natively, and the signal comes again.
#include "check.h"

#include <setjmp.h>
#include <signal.h>

static int piped[2];
static thread_local sigjmp_buf back;
static volatile int cleaned, waits;

static void throws(int) { throw 42; }
static void jumps(int) { siglongjmp(back, 7); }
static void ends(int) { pthread_exit(reinterpret_cast<void*>(9)); }

struct Cleaned {
  ~Cleaned() { cleaned = cleaned + 1; }
};

// Without a frame of libc's in between that knows nothing of exceptions.
__attribute__((noinline)) static long read_pipe() {
  char byte;
  long r;
  asm volatile("syscall"
               : "=a"(r)
               : "0"(0L), "D"(piped[0]), "S"(&byte), "d"(1L)
               : "rcx", "r11", "memory");
  return r;
}

static void* is_thrown_at(void*) {
  static int round;
  for (; round < 20; round++) {
    volatile int* null = nullptr;
    try {
      Cleaned c;
      *null = 1;
    } catch (int value) {
      CHECK_EQ(value, 42);
    }
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGSEGV);
    CHECK_OK(pthread_sigmask(SIG_UNBLOCK, &set, nullptr));
  }
  return nullptr;
}

static void* jumps_back(void*) {
  static int round;
  for (; round < 20; round++) {
    if (sigsetjmp(back, 1)) continue;
    waits = waits + 1;
    read_pipe();
    CHECK_FAIL("read");
  }
  return nullptr;
}

// Apart: wherever in it the signal comes, its caller is in a call.
__attribute__((noinline)) static void waits_for_ever() {
  waits = waits + 1;
  char byte;
  CHECK_EQ(read(piped[0], &byte, 1), 1);
}

static void* is_ended(void*) {
  Cleaned c;
  waits_for_ever();
  return nullptr;
}

static void handle(int sig, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  CHECK_OK(sigaction(sig, &action, nullptr));
}

int main() {
  CHECK_OK(pipe(piped));
  handle(SIGSEGV, throws);
  handle(SIGUSR1, jumps);
  handle(SIGUSR2, ends);
  join(spawn(is_thrown_at, nullptr));
  CHECK_EQ(cleaned, 20);

  pthread_t thread = spawn(jumps_back, nullptr);
  for (int i = 1; i <= 20; i++) {
    AWAIT(waits == i);
    CHECK_OK(pthread_kill(thread, SIGUSR1));
  }
  join(thread);

  waits = 0;
  thread = spawn(is_ended, nullptr);
  AWAIT(waits == 1);
  sleep_ms(5);
  CHECK_OK(pthread_kill(thread, SIGUSR2));
  void* value;
  CHECK_OK(pthread_join(thread, &value));
  CHECK_EQ(reinterpret_cast<intptr_t>(value), 9);
  CHECK_EQ(cleaned, 21);
  puts("left");
}
