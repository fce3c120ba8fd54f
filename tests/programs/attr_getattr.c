// pthread_getattr_np tells the truth: locals lie inside the reported stack, the sizes asked for
// are honoured, and the whole of the stack can be written.
#include "check.h"

static size_t asked_size, asked_guard;

static void* body(void* unused) {
  char local;
  pthread_attr_t attr;
  CHECK_OK(pthread_getattr_np(pthread_self(), &attr));
  void* low;
  size_t size, guard;
  int state;
  CHECK_OK(pthread_attr_getstack(&attr, &low, &size));
  CHECK_OK(pthread_attr_getguardsize(&attr, &guard));
  CHECK_OK(pthread_attr_getdetachstate(&attr, &state));
  CHECK(&local >= (char*)low && &local < (char*)low + size);
  if (asked_size) CHECK(size >= asked_size - asked_guard && size <= asked_size + 64 * 1024);
  if (asked_guard) CHECK_EQ(guard, asked_guard);
  CHECK_EQ(state, PTHREAD_CREATE_JOINABLE);
  // Down to a page above the low end; the frame itself stays untouched.
  uintptr_t end = (uintptr_t)&local - 4096;
  for (uintptr_t p = (uintptr_t)low + 4096; p < end; p += 4096) *(volatile char*)p = 1;
  CHECK_OK(pthread_attr_destroy(&attr));
  return unused;
}

int main(void) {
  join(spawn(body, NULL));
  const size_t sizes[] = {64 << 10, 256 << 10, 1 << 20, 16 << 20}, guards[] = {4096, 65536};
  for (int s = 0; s < 4; s++) {
    for (int g = 0; g < 2; g++) {
      asked_size = sizes[s] + guards[g];
      asked_guard = guards[g];
      pthread_attr_t attr;
      size_t back;
      CHECK_OK(pthread_attr_init(&attr));
      CHECK_OK(pthread_attr_setstacksize(&attr, asked_size));
      CHECK_OK(pthread_attr_setguardsize(&attr, asked_guard));
      CHECK_OK(pthread_attr_getstacksize(&attr, &back));
      CHECK_EQ(back, asked_size);
      pthread_t thread;
      CHECK_OK(pthread_create(&thread, &attr, body, NULL));
      join(thread);
      CHECK_OK(pthread_attr_destroy(&attr));
    }
  }
  pthread_attr_t attr;
  CHECK_OK(pthread_attr_init(&attr));
  CHECK_EQ(pthread_attr_setstacksize(&attr, 1024), EINVAL);
  CHECK_OK(pthread_attr_destroy(&attr));
  printf("stacks as reported\n");
}
