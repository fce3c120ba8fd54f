// A signal that finds little room on its thread's stack is handled, or ends the process as
// natively; in no case does the thread stay where it is.
#include "check.h"

#include <alloca.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { STACK = 256 << 10, GUARD = 4096, STEP = 64, PLENTY = 12 << 10 };

static volatile int handled;
static char* lowest;

static void on_signal(int number) { handled = number; }

static void* deep(void* room) {
  char here;
  volatile char* rest = alloca((size_t)(&here - lowest) - (size_t)room);
  rest[0] = 1;
  pthread_kill(pthread_self(), SIGUSR1);
  return NULL;
}

// The status of a process whose thread has so much left when it gets the signal.
static int with(size_t room) {
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    alarm(10);
    CHECK(signal(SIGUSR1, on_signal) != SIG_ERR);
    char* stack =
        mmap(NULL, GUARD + STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(stack != MAP_FAILED);
    CHECK_OK(mprotect(stack, GUARD, PROT_NONE));
    lowest = stack + GUARD;
    pthread_attr_t attr;
    CHECK_OK(pthread_attr_init(&attr));
    CHECK_OK(pthread_attr_setstack(&attr, lowest, STACK));
    pthread_t thread;
    CHECK_OK(pthread_create(&thread, &attr, deep, (void*)room));
    join(thread);
    CHECK_EQ(handled, SIGUSR1);
    _exit(0);
  }
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  return status;
}

int main(void) {
  for (size_t room = STEP; room <= PLENTY; room += STEP) {
    int status = with(room);
    if (WIFSIGNALED(status) && room < PLENTY)
      CHECK_EQ(WTERMSIG(status), SIGSEGV);
    else
      CHECK_EQ(status, 0);
  }
  puts("handled, or the end");
}
