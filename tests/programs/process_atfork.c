// pthread_atfork's handlers run in order in the forking thread, and keep a lock usable in the
// child.
#include "check.h"

#include <sys/wait.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char order[16];

static void prepare(void) {
  CHECK_OK(pthread_mutex_lock(&mutex));
  strcat(order, "p");
}
static void prepare_later(void) { strcat(order, "P"); }
static void parent(void) {
  strcat(order, "a");
  CHECK_OK(pthread_mutex_unlock(&mutex));
}
static void child(void) {
  strcat(order, "c");
  CHECK_OK(pthread_mutex_unlock(&mutex));
}

static int stop;
static void* locker(void* unused) {
  while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
    CHECK_OK(pthread_mutex_lock(&mutex));
    sched_yield();
    CHECK_OK(pthread_mutex_unlock(&mutex));
    usleep(50);
  }
  return unused;
}

static void* forker(void* unused) {
  for (int i = 0; i < 20; i++) {
    order[0] = 0;
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
      CHECK(strcmp(order, "Ppc") == 0);
      CHECK_OK(pthread_mutex_lock(&mutex));
      CHECK_OK(pthread_mutex_unlock(&mutex));
      _exit(0);
    }
    CHECK(strcmp(order, "Ppa") == 0);
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
  }
  return unused;
}

int main(void) {
  CHECK_OK(pthread_atfork(prepare, parent, child));
  CHECK_OK(pthread_atfork(prepare_later, NULL, NULL));
  pthread_t busy = spawn(locker, NULL);
  join(spawn(forker, NULL));
  __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
  join(busy);
  printf("20 forks\n");
}
