// Of threads that compute on one CPU, those with a high nice value get less of it, but they get
// some. On a loaded machine few have had a turn after a while: so it goes on until it shows.
#include "one_cpu.h"

#include <sys/resource.h>

enum { OF_EACH = 10, TRIES = 6 };
static volatile int stop;
static volatile unsigned long rounds[2 * OF_EACH];

static void* body(void* argument) {
  intptr_t i = (intptr_t)argument;
  if (i % 2) CHECK_OK(setpriority(PRIO_PROCESS, (id_t)gettid(), 15));
  while (!stop)
    for (volatile int turn = 0; turn < 1000; turn = turn + 1)
      if (turn == 0) rounds[i]++;
  return NULL;
}

static unsigned long sum(int first) {
  unsigned long all = 0;
  for (int i = first; i < 2 * OF_EACH; i += 2) all += rounds[i];
  return all;
}

int main(int argc, char** argv) {
  pthread_t threads[2 * OF_EACH];
  run_on_first_cpu();
  for (intptr_t i = 0; i < 2 * OF_EACH; i++) threads[i] = spawn(body, (void*)i);
  unsigned long favoured = 0, nice_ones = 0;
  for (int i = 0; i < TRIES && favoured <= nice_ones + nice_ones / 2; i++) {
    unsigned long favoured_before = sum(0), nice_before = sum(1);
    sleep_ms(arg_or(argc, argv, 1, 1500));
    favoured = sum(0) - favoured_before;
    nice_ones = sum(1) - nice_before;
  }
  for (int i = 0; i < 2 * OF_EACH; i++) AWAIT(rounds[i]);
  stop = 1;
  for (int i = 0; i < 2 * OF_EACH; i++) join(threads[i]);
  if (argc > 1) dprintf(2, "%.1f times as much\n", (double)favoured / (double)nice_ones);
  CHECK(favoured > nice_ones + nice_ones / 2);
  puts("the nice ones got less");
}
