// fork from threads while others hold malloc and stdio busy: each child has one thread, the memory
// of its moment, and creates, synchronises and joins threads of its own.
#include "check.h"

#include <sys/wait.h>

static int stop, rounds;
static __thread int local;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void* churn(void* unused) {
  unsigned seed = 1;
  while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
    void* blocks[10];
    for (int i = 0; i < 10; i++) blocks[i] = malloc((size_t)rand_r(&seed) % 3000 + 1);
    for (int i = 0; i < 10; i++) free(blocks[i]);
    sched_yield();
  }
  return unused;
}

static void* in_child(void* argument) {
  void* block = malloc(5000);
  CHECK(block != NULL);
  free(block);
  CHECK_OK(pthread_mutex_lock(&mutex));
  int* counter = argument;
  ++*counter;
  CHECK_OK(pthread_mutex_unlock(&mutex));
  sched_yield();
  return argument;
}

static void* forker(void* argument) {
  for (int i = 0; i < rounds; i++) {
    local = i + (int)(intptr_t)argument * 1000;
    pid_t parent = getpid(), child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      CHECK_EQ(getppid(), parent);
      CHECK_EQ(gettid(), getpid());
      CHECK_EQ(local, i + (intptr_t)argument * 1000);
      int counter = 0;
      pthread_t threads[5];
      for (int t = 0; t < 5; t++) threads[t] = spawn(in_child, &counter);
      for (int t = 0; t < 5; t++) CHECK(join(threads[t]) == &counter);
      _exit(counter + i % 7);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 5 + i % 7);
  }
  return NULL;
}

int main(int argc, char** argv) {
  rounds = arg_or(argc, argv, 1, 15);
  pthread_t churners[3], forkers[3];
  for (int i = 0; i < 3; i++) churners[i] = spawn(churn, NULL);
  for (intptr_t i = 0; i < 3; i++) forkers[i] = spawn(forker, (void*)i);
  for (int i = 0; i < 3; i++) join(forkers[i]);
  __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
  for (int i = 0; i < 3; i++) join(churners[i]);
  printf("%d children\n", 3 * rounds);
}
