// What the first pthread_create and pthread_join of a process cost, and a
// later one.

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"

static void* empty(void* arg) { return arg; }

static double create_and_join(void) {
  pthread_t thread;
  double before = wall_seconds();
  if (pthread_create(&thread, NULL, empty, NULL) != 0) exit(1);
  pthread_join(thread, NULL);
  return (wall_seconds() - before) * 1e6;
}

int main(void) {
  double first = create_and_join(), later = 0;
  for (int i = 0; i < 10; i++) later = create_and_join();
  printf("first_us=%.1f later_us=%.1f\n", first, later);
  return 0;
}
