// A binary tree of threads, each of which joins its children and adds up their answers.
#include "check.h"

static void* node(void* argument) {
  intptr_t depth = (intptr_t)argument;
  if (depth == 0) return (void*)1;
  pthread_t left = spawn(node, (void*)(depth - 1)), right = spawn(node, (void*)(depth - 1));
  return (void*)((intptr_t)join(left) + (intptr_t)join(right) + 1);
}

int main(int argc, char** argv) {
  intptr_t depth = arg_or(argc, argv, 1, 9);
  intptr_t nodes = (intptr_t)join(spawn(node, (void*)depth));
  CHECK_EQ(nodes, (1 << (depth + 1)) - 1);
  printf("%ld nodes\n", (long)nodes);
}
