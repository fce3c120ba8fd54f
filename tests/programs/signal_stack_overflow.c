// A handler on the alternate stack is told of a stack overflow, and may jump out of it, in every
// kind of thread and again and again; without one the process dies of SIGSEGV.
#include "check.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { kAlternate = 32 * 1024, kStack = 256 * 1024 };

static __thread sigjmp_buf back;
static __thread char* alternate;
static __thread char* lowest;
static volatile int sink, stop, deepest = 1 << 30;

static void handler(int number, siginfo_t* info, void* context) {
  char local;
  ucontext_t* uc = context;
  char* stack_pointer = (char*)uc->uc_mcontext.gregs[REG_RSP];
  CHECK_EQ(number, SIGSEGV);
  CHECK(&local > alternate && &local < alternate + kAlternate);
  CHECK(uc->uc_stack.ss_sp == alternate && uc->uc_stack.ss_size == kAlternate);
  // The touched address: near the stack pointer, and below what the stack has.
  CHECK((char*)info->si_addr < stack_pointer + 4096 && (char*)info->si_addr > stack_pointer - 8192);
  if (lowest) CHECK((char*)info->si_addr < lowest && (char*)info->si_addr >= lowest - 8192);
  stack_t now;
  CHECK_OK(sigaltstack(NULL, &now));
  CHECK_EQ(now.ss_flags, SS_ONSTACK);
  siglongjmp(back, 1);
}

static int recurse(int depth) {
  volatile char frame[512];
  frame[depth % 512] = (char)depth;
  if (depth < deepest) sink += recurse(depth + 1);
  return frame[depth % 512];
}

static void* overflow(void* times) {
  alternate = malloc(kAlternate);
  stack_t stack = {.ss_sp = alternate, .ss_size = kAlternate};
  CHECK_OK(sigaltstack(&stack, NULL));
  for (volatile int i = 0; i < (intptr_t)times; i++) {
    if (sigsetjmp(back, 1) == 0) recurse(0);
    sched_yield();
  }
  stack.ss_flags = SS_DISABLE;
  CHECK_OK(sigaltstack(&stack, NULL));
  free(alternate);
  return NULL;
}

static void* overflow_thread(void* times) {
  pthread_attr_t attr;
  void* base;
  size_t size;
  CHECK_OK(pthread_getattr_np(pthread_self(), &attr));
  CHECK_OK(pthread_attr_getstack(&attr, &base, &size));
  CHECK_OK(pthread_attr_destroy(&attr));
  lowest = base;
  return overflow(times);
}

static void* compute(void* unused) {
  while (!stop) sink++;
  return unused;
}

static int status_of_overflow(int flags) {
  pid_t child = fork();
  if (child == 0) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = flags};
    if (flags) CHECK_OK(sigaction(SIGSEGV, &action, NULL));
    pthread_t thread = spawn((void* (*)(void*))(void (*)(void))recurse, NULL);
    join(thread);
  }
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  return WIFSIGNALED(status) ? WTERMSIG(status) : -1;
}

int main(void) {
  // That of main is to have an end.
  struct rlimit limit = {1 << 20, 1 << 20};
  CHECK_OK(setrlimit(RLIMIT_STACK, &limit));
  CHECK_EQ(status_of_overflow(0), SIGSEGV);
  CHECK_EQ(status_of_overflow(SA_SIGINFO), SIGSEGV);  // has no alternate stack
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  CHECK_OK(sigaction(SIGSEGV, &action, NULL));
  overflow((void*)1);
  pthread_attr_t attr;
  CHECK_OK(pthread_attr_init(&attr));
  CHECK_OK(pthread_attr_setstacksize(&attr, kStack));
  pthread_t busy[2], threads[16];
  for (int i = 0; i < 2; i++) busy[i] = spawn(compute, NULL);
  for (int i = 0; i < 16; i++)
    CHECK_OK(pthread_create(&threads[i], &attr, overflow_thread, (void*)20));
  overflow((void*)20);
  for (int i = 0; i < 16; i++) join(threads[i]);
  stop = 1;
  for (int i = 0; i < 2; i++) join(busy[i]);
  puts("341 overflows");
}
