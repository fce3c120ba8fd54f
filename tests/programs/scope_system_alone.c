// A program that names the only scope that Linux has, for all its threads, has as many OS threads
// as one that names none: a thousand sleeping ones need no thousand. So it is if later it tries the
// other scope for something else, as MariaDB does for its timer.
#include "check.h"

#include <dirent.h>

enum { THREADS = 200 };
static pthread_barrier_t begin, end;

static void* body(void* unused) {
  pthread_barrier_wait(&begin);
  pthread_barrier_wait(&end);
  return unused;
}

static long kernel_threads(void) {
  FILE* status = fopen("/proc/self/status", "r");
  CHECK(status != NULL);
  char line[256];
  long count = 0;
  while (fgets(line, sizeof line, status)) sscanf(line, "Threads: %ld", &count);
  fclose(status);
  return count;
}

static void run(const pthread_attr_t* attr) {
  pthread_t threads[THREADS];
  CHECK_OK(pthread_barrier_init(&begin, NULL, THREADS + 1));
  CHECK_OK(pthread_barrier_init(&end, NULL, THREADS + 1));
  for (int i = 0; i < THREADS; i++) CHECK_OK(pthread_create(&threads[i], attr, body, NULL));
  pthread_barrier_wait(&begin);
  const char* mode = getenv("GREEN_MODE");
  if (mode && strcmp(mode, "mn") == 0) CHECK(kernel_threads() < 30);
  pthread_barrier_wait(&end);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  CHECK_OK(pthread_barrier_destroy(&begin));
  CHECK_OK(pthread_barrier_destroy(&end));
}

int main(void) {
  pthread_attr_t attr, other;
  int scope;
  CHECK_OK(pthread_attr_init(&attr));
  CHECK_OK(pthread_attr_setscope(&attr, PTHREAD_SCOPE_SYSTEM));
  CHECK_OK(pthread_attr_getscope(&attr, &scope));
  CHECK_EQ(scope, PTHREAD_SCOPE_SYSTEM);
  run(&attr);
  CHECK_OK(pthread_attr_init(&other));
  (void)pthread_attr_setscope(&other, PTHREAD_SCOPE_PROCESS);
  run(&attr);
  puts("as many as needed");
}
