// Several threads create and join at once, so creation, exit and join race with themselves.
#include "check.h"

static int rounds;

static void* leaf(void* argument) { return (char*)argument + 1; }

static void* creator(void* argument) {
  char* base = argument;
  for (int i = 0; i < rounds; i++) {
    pthread_t a = spawn(leaf, base + i), b = spawn(leaf, base + i + 1);
    CHECK(join(b) == base + i + 2);
    CHECK(join(a) == base + i + 1);
  }
  return NULL;
}

int main(int argc, char** argv) {
  enum { CREATORS = 8 };
  rounds = arg_or(argc, argv, 1, 500);
  pthread_t creators[CREATORS];
  for (intptr_t i = 0; i < CREATORS; i++) creators[i] = spawn(creator, (void*)(i << 20));
  for (int i = 0; i < CREATORS; i++) CHECK(join(creators[i]) == NULL);
  printf("%d threads joined\n", CREATORS * rounds * 2);
}
