// Every joined thread hands back its own value, whether it returns it or exits with it.
#include "check.h"

static __attribute__((noinline)) void exit_with(intptr_t value) { pthread_exit((void*)value); }

static void* body(void* argument) {
  intptr_t value = (intptr_t)argument;
  if (value % 2) exit_with(value * 3);
  return (void*)(value * 3);
}

int main(int argc, char** argv) {
  enum { WAVE = 100 };
  int waves = arg_or(argc, argv, 1, 50);
  intptr_t sum = 0;
  for (int w = 0; w < waves; w++) {
    pthread_t threads[WAVE];
    for (intptr_t i = 0; i < WAVE; i++) threads[i] = spawn(body, (void*)(w * WAVE + i));
    for (intptr_t i = 0; i < WAVE; i++) {
      intptr_t got = (intptr_t)join(threads[i]);
      CHECK_EQ(got, (w * WAVE + i) * 3);
      sum += got;
    }
  }
  printf("sum %ld\n", (long)sum);
}
