// A stack given through pthread_attr_setstack is the one that the thread runs on, again and again,
// and it is the caller's to free or reuse once the thread is joined.
#include "check.h"

#include <sys/mman.h>

enum { SIZE = 128 << 10 };

static void* body(void* stack) {
  char local;
  CHECK(&local > (char*)stack && &local < (char*)stack + SIZE);
  pthread_attr_t attr;
  CHECK_OK(pthread_getattr_np(pthread_self(), &attr));
  void* low;
  size_t size;
  CHECK_OK(pthread_attr_getstack(&attr, &low, &size));
  CHECK(low == stack);
  CHECK_EQ(size, SIZE);
  CHECK_OK(pthread_attr_destroy(&attr));
  sched_yield();
  return &((char*)stack)[1];
}

int main(void) {
  for (int round = 0; round < 200; round++) {
    char* stack = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(stack != MAP_FAILED);
    pthread_attr_t attr;
    CHECK_OK(pthread_attr_init(&attr));
    CHECK_OK(pthread_attr_setstack(&attr, stack, SIZE));
    for (int reuse = 0; reuse < 3; reuse++) {
      pthread_t thread;
      CHECK_OK(pthread_create(&thread, &attr, body, stack));
      CHECK(join(thread) == stack + 1);
      memset(stack, 0xa5, SIZE);
    }
    CHECK_OK(pthread_attr_destroy(&attr));
    CHECK_OK(munmap(stack, SIZE));
  }
  printf("600 threads on given stacks\n");
}
