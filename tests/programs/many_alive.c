// Thousands of threads alive at once on small stacks, all blocked, all released together.
#include "check.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t arrived = PTHREAD_COND_INITIALIZER, go = PTHREAD_COND_INITIALIZER;
static int alive, released;

static void* body(void* argument) {
  pthread_mutex_lock(&mutex);
  alive++;
  pthread_cond_signal(&arrived);
  while (!released) pthread_cond_wait(&go, &mutex);
  alive--;
  pthread_mutex_unlock(&mutex);
  return argument;
}

int main(int argc, char** argv) {
  int count = arg_or(argc, argv, 1, 5000);
  pthread_t* threads = calloc(count, sizeof *threads);
  pthread_attr_t attr;
  CHECK_OK(pthread_attr_init(&attr));
  CHECK_OK(pthread_attr_setstacksize(&attr, 64 << 10));
  for (int i = 0; i < count; i++) CHECK_OK(pthread_create(&threads[i], &attr, body, threads));
  CHECK_OK(pthread_mutex_lock(&mutex));
  while (alive < count) CHECK_OK(pthread_cond_wait(&arrived, &mutex));
  CHECK_EQ(alive, count);
  released = 1;
  CHECK_OK(pthread_cond_broadcast(&go));
  CHECK_OK(pthread_mutex_unlock(&mutex));
  for (int i = 0; i < count; i++) CHECK(join(threads[i]) == threads);
  CHECK_EQ(alive, 0);
  printf("%d alive at once\n", count);
  free(threads);
}
