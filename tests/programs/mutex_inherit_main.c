// The main thread shares a priority-inheritance mutex with a process that runs without the library:
// its number is a thread's that the kernel knows. Other threads compute meanwhile, so that it moves
// about.
#include "shared.h"

#include <sys/wait.h>

enum { HOGS = 3, ROUNDS = 300 };

static struct {
  pthread_mutex_t mutex;
  int inside, taken;
} * shared;
static int over;

static void* compute(void* unused) {
  while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) sched_yield();
  return unused;
}

static void contend(void) {
  for (int i = 0; i < ROUNDS; i++) {
    CHECK_OK(pthread_mutex_lock(&shared->mutex));
    CHECK_EQ(shared->inside++, 0);
    shared->taken++;
    if (i % 4 == 0) usleep(100);
    shared->inside--;
    CHECK_OK(pthread_mutex_unlock(&shared->mutex));
    if (i % 4 == 2) usleep(100);
  }
}

int main(int argc, char** argv) {
  int fd;
  pthread_t hogs[HOGS];
  shared = map_shared_with_native(argc, argv, sizeof *shared, &fd);
  if (argc > 1) {
    contend();
    return 0;
  }
  init_shared_mutex(&shared->mutex, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED,
                    PTHREAD_PRIO_INHERIT);
  for (int i = 0; i < HOGS; i++) hogs[i] = spawn(compute, NULL);
  pid_t child = start_native(argv, fd);
  contend();
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
  __atomic_store_n(&over, 1, __ATOMIC_RELAXED);
  for (int i = 0; i < HOGS; i++) join(hogs[i]);
  CHECK_EQ(shared->taken, 2 * ROUNDS);
  puts("the main thread and another process");
}
