// The main thread unlocks a priority-inheritance mutex that a process without the library waits
// for, while another thread's child has borrowed that thread's memory and its place in the kernel.
#include "shared.h"

#include <linux/futex.h>

static pthread_mutex_t* mutex;
static int hold[2];
static volatile int suspended;

static void* suspend(void* unused) {
  char c;
  suspended = 1;
  pid_t child = vfork();
  if (child == 0) _exit(read(hold[0], &c, 1) == 1 ? 7 : 1);
  join_children(&child, 1);
  return unused;
}

int main(int argc, char** argv) {
  int fd;
  mutex = map_shared_with_native(argc, argv, sizeof *mutex, &fd);
  if (argc > 1) {
    CHECK_OK(pthread_mutex_lock(mutex));
    CHECK_OK(pthread_mutex_unlock(mutex));
    return 7;
  }
  init_shared_mutex(mutex, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_INHERIT);
  CHECK_OK(pipe(hold));
  CHECK_OK(pthread_mutex_lock(mutex));
  pthread_t thread = spawn(suspend, NULL);
  pid_t native = start_native(argv, fd);
  AWAIT(suspended &&
        (__atomic_load_n(&mutex->__data.__lock, __ATOMIC_RELAXED) & (int)FUTEX_WAITERS));
  CHECK_OK(pthread_mutex_unlock(mutex));
  join_children(&native, 1);
  CHECK_EQ(write(hold[1], "", 1), 1);
  join(thread);
  puts("unlocked meanwhile");
}
