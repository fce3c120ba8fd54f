// Threads that wait for each other in loops of sleeps of no length: each such sleep lets others
// run.
#include "check.h"

enum { THREADS = 8, TURNS = 4000 };

static _Atomic int turn;

static void* body(void* argument) {
  for (int mine = (int)(intptr_t)argument; mine < TURNS; mine += THREADS) {
    while (turn != mine) usleep(0);
    turn++;
  }
  return NULL;
}

int main(void) {
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) threads[i] = spawn(body, (void*)(intptr_t)i);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  CHECK_EQ(turn, TURNS);
  puts("everybody's turn");
}
