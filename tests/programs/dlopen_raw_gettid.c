// System calls in the code of a module that is dlopen'ed while threads run are the threads' own:
// its gettid agrees with libc's in every thread.
#include "check.h"

#include <dlfcn.h>
#include <string.h>

static long (*raw_gettid)(void);
static pthread_barrier_t loaded;

static void* body(void* unused) {
  pthread_barrier_wait(&loaded);
  for (int i = 0; i < 20; i++) {
    CHECK_EQ(raw_gettid(), gettid());
    sched_yield();
  }
  return unused;
}

int main(int argc, char** argv) {
  enum { THREADS = 8 };
  CHECK_OK(pthread_barrier_init(&loaded, NULL, THREADS + 1));
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) threads[i] = spawn(body, NULL);
  char path[4096];
  const char* directory = getenv("TEST_SRCDIR");
  snprintf(path, sizeof path, "%s/libgreen/tests/programs/libraw_module.so",
           directory ? directory : ".");
  void* module = dlopen(argc > 1 ? argv[1] : path, RTLD_NOW);
  CHECK(module != NULL);
  raw_gettid = (long (*)(void))dlsym(module, "raw_gettid");
  CHECK(raw_gettid != NULL);
  pthread_barrier_wait(&loaded);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  printf("numbers agree\n");
}
