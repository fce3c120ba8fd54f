// TLS of a module that is dlopen'ed while threads already run: they and later ones have their own.
#include "check.h"

#include <dlfcn.h>

enum { EARLY = 10, LATE = 10, ROUNDS = 50 };
static int (*bump)(int), (*touched)(void);
static int* (*address)(void);
static pthread_barrier_t loaded;

static void* use(void* argument) {
  int by = (int)(intptr_t)argument, *where = address();
  CHECK_EQ(*where, 100);
  for (int i = 1; i <= ROUNDS; i++) {
    CHECK_EQ(bump(by), 100 + i * by);
    if (i % 2)
      sched_yield();
    else
      usleep(50);
    CHECK(address() == where);
  }
  CHECK_EQ(touched(), ROUNDS);
  return where;
}

static void* early(void* argument) {
  pthread_barrier_wait(&loaded);
  return use(argument);
}

int main(int argc, char** argv) {
  // Beside the program, wherever that is.
  char path[4096];
  CHECK(argc > 0);
  snprintf(path, sizeof path, "%s", argv[0]);
  char* slash = strrchr(path, '/');
  snprintf(slash ? slash + 1 : path, 100, "libtls_module.so");
  CHECK_OK(pthread_barrier_init(&loaded, NULL, EARLY + 1));
  pthread_t threads[EARLY + LATE];
  for (intptr_t i = 0; i < EARLY; i++) threads[i] = spawn(early, (void*)(i + 1));
  void* module = dlopen(path, RTLD_NOW);
  if (!module) CHECK_FAIL("%s", dlerror());
  bump = dlsym(module, "bump");
  touched = dlsym(module, "touched");
  address = dlsym(module, "address");
  CHECK(bump && touched && address);
  pthread_barrier_wait(&loaded);
  for (intptr_t i = EARLY; i < EARLY + LATE; i++) threads[i] = spawn(use, (void*)(i + 1));
  for (int i = 0; i < EARLY + LATE; i++) CHECK(join(threads[i]) != address());
  CHECK_EQ(bump(1), 101);
  printf("%d threads\n", EARLY + LATE);
}
