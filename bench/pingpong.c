// Two threads hand a turn back and forth; what one round trip costs.
//
//   pingpong cond|sem|yield|pipe|socketpair [ROUND_TRIPS]

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

static long rounds;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static int turn;
static sem_t semaphore[2];
static atomic_int atomic_turn;
static int in[2], out[2];

static void play_cond(int me) {
  pthread_mutex_lock(&mutex);
  for (long i = 0; i < rounds; i++) {
    while (turn != me) pthread_cond_wait(&turned, &mutex);
    turn = !me;
    pthread_cond_signal(&turned);
  }
  pthread_mutex_unlock(&mutex);
}

static void play_sem(int me) {
  for (long i = 0; i < rounds; i++) {
    while (sem_wait(&semaphore[me]) != 0) continue;
    sem_post(&semaphore[!me]);
  }
}

static void play_yield(int me) {
  for (long i = 0; i < rounds; i++) {
    while (atomic_load(&atomic_turn) != me) sched_yield();
    atomic_store(&atomic_turn, !me);
  }
}

static void play_bytes(int me) {
  char byte = 'x';
  for (long i = 0; i < rounds; i++) {
    if (me == 0 && write(out[me], &byte, 1) != 1) exit(1);
    if (read(in[me], &byte, 1) != 1) exit(1);
    if (me == 1 && write(out[me], &byte, 1) != 1) exit(1);
  }
}

static int open_pipes(void) {
  int there[2], back[2];
  if (pipe(there) != 0 || pipe(back) != 0) return -1;
  in[0] = back[0], out[0] = there[1], in[1] = there[0], out[1] = back[1];
  return 0;
}

static int open_socketpair(void) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return -1;
  in[0] = out[0] = ends[0], in[1] = out[1] = ends[1];
  return 0;
}

static int open_semaphores(void) {
  return sem_init(&semaphore[0], 0, 1) != 0 || sem_init(&semaphore[1], 0, 0) != 0 ? -1 : 0;
}

static const struct mode {
  const char* name;
  void (*play)(int me);
  int (*open)(void);
} modes[] = {{"cond", play_cond, NULL},
             {"sem", play_sem, open_semaphores},
             {"yield", play_yield, NULL},
             {"pipe", play_bytes, open_pipes},
             {"socketpair", play_bytes, open_socketpair}};

static const struct mode* mode;

static void* partner(void* unused) {
  mode->play(1);
  return unused;
}

int main(int argc, char** argv) {
  for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
    if (argc > 1 && strcmp(argv[1], modes[i].name) == 0) mode = &modes[i];
  rounds = positive_argument(argc, argv, 2, 200000);
  if (!mode || (mode->open && mode->open() != 0)) {
    fprintf(stderr, "usage: pingpong cond|sem|yield|pipe|socketpair [ROUND_TRIPS]\n");
    return 2;
  }
  pthread_t thread;
  if (pthread_create(&thread, NULL, partner, NULL) != 0) return 1;
  double wall = wall_seconds(), cpu = cpu_seconds();
  mode->play(0);
  pthread_join(thread, NULL);
  wall = wall_seconds() - wall, cpu = cpu_seconds() - cpu;
  printf("mode=%s rounds=%ld wall_ns=%.1f cpu_ns=%.1f\n", mode->name, rounds,
         wall * 1e9 / (double)rounds, cpu * 1e9 / (double)rounds);
  return 0;
}
