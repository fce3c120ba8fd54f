// Two threads that wake each other, until killed: samples fall into all of libgreen's paths.
#include <pthread.h>
#include <semaphore.h>
#include <stddef.h>

static sem_t to[2];

static void* back(void* arg) {
  for (;;) {
    sem_wait(&to[1]);
    sem_post(&to[0]);
  }
  return arg;
}

int main(void) {
  pthread_t thread;
  sem_init(&to[0], 0, 0);
  sem_init(&to[1], 0, 0);
  pthread_create(&thread, NULL, back, NULL);
  for (;;) {
    sem_post(&to[1]);
    sem_wait(&to[0]);
  }
}
