// System calls in the code of a module that is dlopen'ed while threads run are the threads' own:
// its gettid agrees with libc's in every thread, from the first instruction that can run after
// dlopen: the threads wait for the module without a system call.
#include "check.h"

#include <dlfcn.h>
#include <string.h>

static long (*_Atomic loaded)(void);

static void* body(void* unused) {
  long (*raw_gettid)(void);
  while (!(raw_gettid = loaded)) {
  }
  for (int i = 0; i < 20; i++) {
    CHECK_EQ(raw_gettid(), gettid());
    sched_yield();
  }
  return unused;
}

int main(int argc, char** argv) {
  enum { THREADS = 8 };
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) threads[i] = spawn(body, NULL);
  char path[4096];
  const char* directory = getenv("TEST_SRCDIR");
  snprintf(path, sizeof path, "%s/libgreen/tests/programs/libraw_module.so",
           directory ? directory : ".");
  void* module = dlopen(argc > 1 ? argv[1] : path, RTLD_NOW);
  CHECK(module != NULL);
  loaded = (long (*)(void))dlsym(module, "raw_gettid");
  CHECK(loaded != NULL);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  printf("numbers agree\n");
}
