// A thread that spins on a flag without yielding sees it set by a thread that was created later,
// and by one that must first wake from a sleep or from a read.
#include "check.h"

static int flags[3], fds[2];

static void* setter(void* argument) {
  intptr_t how = (intptr_t)argument;
  char byte;
  if (how == 1) sleep_ms(5);
  if (how == 2) CHECK_EQ(read(fds[0], &byte, 1), 1);
  __atomic_store_n(&flags[how], 1, __ATOMIC_SEQ_CST);
  return NULL;
}

static void* spinner(void* argument) {
  intptr_t how = (intptr_t)argument;
  pthread_t thread = spawn(setter, argument);
  if (how == 2) CHECK_EQ(write(fds[1], "x", 1), 1);
  while (!__atomic_load_n(&flags[how], __ATOMIC_SEQ_CST)) {
  }
  join(thread);
  return NULL;
}

int main(void) {
  CHECK_OK(pipe(fds));
  for (int round = 0; round < 5; round++) {
    memset(flags, 0, sizeof flags);
    pthread_t threads[3];
    for (intptr_t how = 0; how < 3; how++) threads[how] = spawn(spinner, (void*)how);
    for (int how = 0; how < 3; how++) join(threads[how]);
    flags[0] = 0;
    spinner(NULL);  // In main as well.
  }
  printf("20 spins ended\n");
}
