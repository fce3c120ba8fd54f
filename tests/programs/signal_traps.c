// SIGFPE, SIGILL, SIGTRAP and SIGBUS of a thread, among others that run: the handler runs on that
// thread, with the signal's code and address and the registers, and goes on elsewhere.
#include "check.h"

#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { THREADS = 4, ROUNDS = 50 };

static __thread struct {
  sigjmp_buf back;
  int sig, code;
  void* address;
  uintptr_t pc, marker;
  pid_t thread;
} seen;
static char* hole;

static void on_fault(int sig, siginfo_t* info, void* context) {
  const greg_t* registers = ((ucontext_t*)context)->uc_mcontext.gregs;
  seen.sig = sig, seen.code = info->si_code, seen.address = info->si_addr;
  seen.pc = (uintptr_t)registers[REG_RIP], seen.marker = (uintptr_t)registers[REG_R12];
  seen.thread = gettid();
  siglongjmp(seen.back, 1);
}

#define FAULT(instructions, ...)                              \
  do {                                                        \
    if (sigsetjmp(seen.back, 1)) break;                       \
    __asm__ volatile("movq %0, %%r12\n" instructions          \
                     :                                        \
                     : "r"(marker), ##__VA_ARGS__             \
                     : "r12", "rax", "rcx", "rdx", "memory"); \
    CHECK_FAIL("no fault");                                   \
  } while (0)

static void was(int sig, int code, uintptr_t marker) {
  CHECK_EQ(seen.sig, sig);
  CHECK_EQ(seen.code, code);
  CHECK_EQ(seen.marker, marker);
  CHECK_EQ(seen.thread, gettid());
}

static void* body(void* number) {
  const uintptr_t marker = (uintptr_t)number + 0x1234567800;
  for (int i = 0; i < ROUNDS; i++) {
    FAULT("xorl %%edx, %%edx\n movl $1, %%eax\n xorl %%ecx, %%ecx\n divl %%ecx");
    was(SIGFPE, FPE_INTDIV, marker);
    CHECK_EQ((uintptr_t)seen.address, seen.pc);
    FAULT("ud2");
    was(SIGILL, ILL_ILLOPN, marker);
    CHECK_EQ((uintptr_t)seen.address, seen.pc);
    FAULT("int3");
    was(SIGTRAP, SI_KERNEL, marker);
    FAULT("movb (%1), %%al", "r"(hole + i));
    was(SIGBUS, BUS_ADRERR, marker);
    CHECK_EQ((uintptr_t)seen.address, (uintptr_t)hole + (uintptr_t)i);
    sched_yield();
  }
  return NULL;
}

int main(void) {
  const int signals[] = {SIGFPE, SIGILL, SIGTRAP, SIGBUS};
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
  for (int i = 0; i < 4; i++) CHECK_OK(sigaction(signals[i], &action, NULL));
  hole = mmap(NULL, 4096, PROT_READ, MAP_SHARED, memfd_create("empty", 0), 0);
  CHECK(hole != MAP_FAILED);
  pthread_t threads[THREADS];
  for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(body, (void*)i);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  puts("caught");
}
