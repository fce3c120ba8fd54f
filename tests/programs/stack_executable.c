// A program that was linked to run code on its stack does so on those of its threads, too.
#include "code_on_stack.h"

static void* body(void* value) {
  CHECK_EQ(call_on_stack((int)(intptr_t)value), (intptr_t)value);
  sched_yield();
  CHECK_EQ(call_on_stack(7), 7);
  return NULL;
}

int main(void) {
  CHECK_EQ(call_on_stack(6), 6);
  pthread_attr_t small;
  CHECK_OK(pthread_attr_init(&small));
  CHECK_OK(pthread_attr_setstacksize(&small, 64 * 1024));
  pthread_t threads[20];
  for (intptr_t i = 0; i < 20; i++)
    CHECK_OK(pthread_create(&threads[i], i % 2 ? &small : NULL, body, (void*)i));
  for (int i = 0; i < 20; i++) join(threads[i]);
  puts("ran on 21 stacks");
}
