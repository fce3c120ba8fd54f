// dlopen, dlsym, dlclose and dl_iterate_phdr from many threads at once.
#include "check.h"

#include <dlfcn.h>
#include <link.h>

static int count_object(struct dl_phdr_info* info, size_t size, void* count) {
  CHECK(size >= sizeof info->dlpi_addr && info->dlpi_phnum > 0);
  ++*(int*)count;
  sched_yield();
  return 0;
}

static void* body(void* argument) {
  const char* const names[] = {"libm.so.6", "librt.so.1", "libutil.so.1", "libanl.so.1"};
  for (int i = 0; i < 30; i++) {
    void* module = dlopen(names[(i + (intptr_t)argument) % 4], i % 2 ? RTLD_NOW : RTLD_LAZY);
    if (!module) CHECK_FAIL("%s", dlerror());
    if ((i + (intptr_t)argument) % 4 == 0) {
      double (*root)(double) = (double (*)(double))dlsym(module, "sqrt");
      CHECK(root && root(144.0) == 12.0);
    }
    CHECK(dlsym(module, "no_such_symbol") == NULL);
    CHECK(strstr(dlerror(), "no_such_symbol") != NULL);  // Each thread has its own message.
    CHECK(dlopen("libdoes-not-exist.so", RTLD_NOW) == NULL);
    sched_yield();
    CHECK(strstr(dlerror(), "does-not-exist") != NULL);
    int objects = 0;
    if (i % 10 == 0) CHECK_OK(dl_iterate_phdr(count_object, &objects));
    CHECK(i % 10 || objects >= 2);
    CHECK_OK(dlclose(module));
  }
  return NULL;
}

int main(void) {
  pthread_t threads[10];
  for (intptr_t i = 0; i < 10; i++) threads[i] = spawn(body, (void*)i);
  for (int i = 0; i < 10; i++) join(threads[i]);
  printf("300 opened\n");
}
