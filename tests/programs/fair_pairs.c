// Pairs that wake each other without end do not keep a third from its turns, nor each other.
#include "check.h"

#include <sched.h>
#include <semaphore.h>

enum { PAIRS = 3 };
static sem_t sides[PAIRS][2];
static volatile long rounds[PAIRS], turns;
static volatile int stop;

static void* player(void* argument) {
  intptr_t number = (intptr_t)argument;
  while (!stop) {
    CHECK_OK(sem_wait(&sides[number / 2][number % 2]));
    rounds[number / 2]++;
    CHECK_OK(sem_post(&sides[number / 2][1 - number % 2]));
  }
  CHECK_OK(sem_post(&sides[number / 2][1 - number % 2]));
  return NULL;
}

static void* third(void* unused) {
  while (!stop) {
    turns++;
    sched_yield();
  }
  return unused;
}

int main(void) {
  pthread_t threads[2 * PAIRS + 1];
  for (int i = 0; i < PAIRS; i++)
    for (int side = 0; side < 2; side++) CHECK_OK(sem_init(&sides[i][side], 0, (unsigned)side));
  for (intptr_t i = 0; i < 2 * PAIRS; i++) threads[i] = spawn(player, (void*)i);
  threads[2 * PAIRS] = spawn(third, NULL);
  sleep_ms(300);
  stop = 1;
  for (int i = 0; i <= 2 * PAIRS; i++) join(threads[i]);
  CHECK(turns > 20);
  for (int i = 0; i < PAIRS; i++) CHECK(rounds[i] > 20);
  puts("everybody played");
}
