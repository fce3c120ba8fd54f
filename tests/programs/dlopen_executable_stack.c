// A module that wants to run code on the stack, loaded while threads run: they may do so from then
// on, as may later ones (glibc tst-execstack).
#include <dlfcn.h>

#include "code_on_stack.h"

enum { THREADS = 8 };

static pthread_barrier_t loaded;

static void* body(void* value) {
  const int r = pthread_barrier_wait(&loaded);
  CHECK(r == 0 || r == PTHREAD_BARRIER_SERIAL_THREAD);
  CHECK_EQ(call_on_stack((int)(intptr_t)value), (intptr_t)value);
  return NULL;
}

static void* later(void* value) {
  CHECK_EQ(call_on_stack((int)(intptr_t)value), (intptr_t)value);
  return NULL;
}

int main(int argc, char** argv) {
  CHECK_OK(pthread_barrier_init(&loaded, NULL, THREADS + 1));
  pthread_t threads[THREADS];
  for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(body, (void*)i);
  char path[4096];
  const char* directory = getenv("TEST_SRCDIR");
  snprintf(path, sizeof path, "%s/libgreen/tests/programs/libexecutable_stack_module.so",
           directory ? directory : ".");
  if (!dlopen(argc > 1 ? argv[1] : path, RTLD_NOW)) CHECK_FAIL("%s", dlerror());
  const int r = pthread_barrier_wait(&loaded);
  CHECK(r == 0 || r == PTHREAD_BARRIER_SERIAL_THREAD);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  pthread_attr_t small;
  CHECK_OK(pthread_attr_init(&small));
  CHECK_OK(pthread_attr_setstacksize(&small, 64 * 1024));
  for (intptr_t i = 0; i < THREADS; i++)
    CHECK_OK(pthread_create(&threads[i], i % 2 ? &small : NULL, later, (void*)i));
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  puts("ran on 16 stacks");
}
