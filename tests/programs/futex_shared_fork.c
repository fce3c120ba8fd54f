// Non-private futexes in a shared mapping, between threads of a parent and of its child, where each
// side maps the word at an address of its own.
#include "futex.h"

#include <sys/mman.h>
#include <sys/wait.h>

enum { THREADS = 4, ROUNDS = 300 };
static uint32_t* ball;
static int side;

static void* player(void* argument) {
  uint32_t* word = ball + (intptr_t)argument;
  for (uint32_t i = 0; i < ROUNDS; i++) {
    uint32_t mine = 2 * i + side, seen;
    while ((seen = __atomic_load_n(word, __ATOMIC_SEQ_CST)) != mine) {
      if (futex(word, FUTEX_WAIT, seen, NULL, NULL, 0) != 0) CHECK_EQ(errno, EAGAIN);
    }
    __atomic_store_n(word, mine + 1, __ATOMIC_SEQ_CST);
    CHECK(futex(word, FUTEX_WAKE, 1, NULL, NULL, 0) >= 0);
  }
  return NULL;
}

int main(void) {
  int memory = memfd_create("ball", 0);
  CHECK_OK(ftruncate(memory, 4096));
  pid_t child = fork();
  CHECK(child >= 0);
  side = child == 0;
  if (side) CHECK(mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != NULL);
  ball = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  CHECK(ball != MAP_FAILED);
  pthread_t threads[THREADS];
  for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(player, (void*)i);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  if (side) _exit(0);
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
  for (int i = 0; i < THREADS; i++) CHECK_EQ(ball[i], 2 * ROUNDS);
  printf("%d balls, %d rounds\n", THREADS, ROUNDS);
}
