// Pairs of threads hand a ball over, thousands of times: one lost wake-up is a hang.
#include "check.h"

enum { PAIRS = 4 };
static int rounds;
struct pair {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  int ball;
};

static void* side(struct pair* pair, int parity) {
  for (int i = 0; i < rounds; i++) {
    CHECK_OK(pthread_mutex_lock(&pair->mutex));
    while (pair->ball % 2 != parity) CHECK_OK(pthread_cond_wait(&pair->changed, &pair->mutex));
    CHECK_EQ(pair->ball, 2 * i + parity);
    pair->ball++;
    if (i % 2) CHECK_OK(pthread_cond_signal(&pair->changed));
    CHECK_OK(pthread_mutex_unlock(&pair->mutex));
    if (i % 2 == 0) CHECK_OK(pthread_cond_signal(&pair->changed));
  }
  return NULL;
}

static void* even(void* pair) { return side(pair, 0); }
static void* odd(void* pair) { return side(pair, 1); }

int main(int argc, char** argv) {
  rounds = arg_or(argc, argv, 1, 3000);
  struct pair pairs[PAIRS];
  pthread_t threads[2 * PAIRS];
  for (int i = 0; i < PAIRS; i++) {
    CHECK_OK(pthread_mutex_init(&pairs[i].mutex, NULL));
    CHECK_OK(pthread_cond_init(&pairs[i].changed, NULL));
    pairs[i].ball = 0;
    threads[2 * i] = spawn(even, &pairs[i]);
    threads[2 * i + 1] = spawn(odd, &pairs[i]);
  }
  for (int i = 0; i < 2 * PAIRS; i++) join(threads[i]);
  for (int i = 0; i < PAIRS; i++) CHECK_EQ(pairs[i].ball, 2 * rounds);
  printf("%d hand-overs\n", PAIRS * 2 * rounds);
}
