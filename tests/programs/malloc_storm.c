// malloc, realloc, calloc and free from many threads, blocks handed from one thread to another.
#include "check.h"

enum { THREADS = 8, SLOTS = 64 };
static char* slots[SLOTS];
static int rounds;

static void check_and_free(char* block) {
  if (block == NULL) return;
  size_t size;
  memcpy(&size, block, sizeof size);
  for (size_t i = sizeof size; i < size; i += 37) CHECK_EQ(block[i], (char)(size + i));
  free(block);
}

static char* make(size_t size, unsigned how) {
  char* block = how % 3 == 0 ? calloc(1, size) : malloc(size);
  CHECK(block != NULL);
  if (how % 3 == 0) {
    for (size_t i = 0; i < size; i += 13) CHECK_EQ(block[i], 0);
  }
  if (how % 5 == 0) block = realloc(block, size *= 2);
  CHECK(block != NULL);
  memcpy(block, &size, sizeof size);
  for (size_t i = sizeof size; i < size; i += 37) block[i] = (char)(size + i);
  return block;
}

static void* body(void* argument) {
  unsigned seed = (unsigned)(intptr_t)argument;
  for (int i = 0; i < rounds; i++) {
    unsigned dice = (unsigned)rand_r(&seed);
    size_t size = dice % 97 == 0 ? 200000 + dice % 50000 : 16 + dice % 2000;
    char* block = make(size, dice >> 8);
    check_and_free(__atomic_exchange_n(&slots[dice % SLOTS], block, __ATOMIC_SEQ_CST));
    if (i % 64 == 0) sched_yield();
  }
  return NULL;
}

int main(int argc, char** argv) {
  rounds = arg_or(argc, argv, 1, 10000);
  pthread_t threads[THREADS];
  for (int again = 0; again < 2; again++) {
    for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(body, (void*)(i + 1));
    for (int i = 0; i < THREADS; i++) join(threads[i]);
  }
  for (int i = 0; i < SLOTS; i++) check_and_free(slots[i]);
  printf("%d blocks\n", 2 * THREADS * rounds);
}
