// Two threads hand a turn to each other a hundred times; then the process ends, in the way asked
// for:
//
//   traced return | _exit | pthread_exit | exec | fork
//
// exec: into itself, to return. fork: the child does the same, with other names.

#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static sem_t turns[2];

static void* play(void* arg) {
  const long me = (long)arg;
  for (int i = 0; i < 100; i++) {
    sem_wait(&turns[me]);
    sem_post(&turns[!me]);
  }
  return NULL;
}

static void game(const char* name) {
  pthread_t players[2];
  for (long i = 0; i < 2; i++) {
    char full[16];
    snprintf(full, sizeof full, "%s-%ld", name, i);
    sem_init(&turns[i], 0, 0);
    if (pthread_create(&players[i], NULL, play, (void*)i)) abort();
    pthread_setname_np(players[i], full);
  }
  usleep(100 * 1000);  // who looks for new processes now and then has found this one
  sem_post(&turns[0]);
  for (int i = 0; i < 2; i++) pthread_join(players[i], NULL);
}

int main(int argc, char** argv) {
  const char* end = argc > 1 ? argv[1] : "return";
  game("one");
  if (!strcmp(end, "exec")) execl("/proc/self/exe", argv[0], "return", NULL);
  if (!strcmp(end, "fork")) {
    const pid_t child = fork();
    if (child == 0) {
      game("kid");
      return 7;
    }
    int status;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
  }
  if (!strcmp(end, "_exit")) _exit(7);
  if (!strcmp(end, "pthread_exit")) pthread_exit(NULL);
  return 7;
}
