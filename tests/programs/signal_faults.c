// A synchronous fault is handled by the thread that caused it, on its own alternate stack, and the
// handler may jump out of it, while other threads do the same.
#include "check.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

static __thread sigjmp_buf back;
static __thread char* alternate;
static char* forbidden;

static void handler(int number, siginfo_t* info, void* context) {
  (void)context;
  char local;
  CHECK_EQ(number, SIGSEGV);
  CHECK(info->si_addr == forbidden);
  CHECK(&local > alternate && &local < alternate + 64 * 1024);
  siglongjmp(back, 1);
}

static void* body(void* unused) {
  alternate = malloc(64 * 1024);
  stack_t stack = {.ss_sp = alternate, .ss_size = 64 * 1024}, old;
  CHECK_OK(sigaltstack(&stack, &old));
  CHECK(old.ss_flags & SS_DISABLE);
  for (volatile int i = 0; i < 50; i++) {
    if (sigsetjmp(back, 1) == 0) {
      *(volatile char*)forbidden = 1;
      CHECK(!"faulted");
    }
    if (i % 5 == 0)
      usleep(100);
    else
      sched_yield();
    CHECK_OK(sigaltstack(NULL, &old));
    CHECK(old.ss_sp == alternate);
    CHECK_EQ(old.ss_flags, 0);
  }
  stack.ss_flags = SS_DISABLE;
  CHECK_OK(sigaltstack(&stack, NULL));
  free(alternate);
  return unused;
}

int main(void) {
  forbidden = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  CHECK_OK(sigaction(SIGSEGV, &action, NULL));
  pthread_t threads[10];
  for (int i = 0; i < 10; i++) threads[i] = spawn(body, NULL);
  for (int i = 0; i < 10; i++) join(threads[i]);
  printf("500 faults\n");
}
