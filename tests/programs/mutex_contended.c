// Exclusion under contention for the mutex kind named by the argument, with holders that are
// descheduled while they hold it.
#include "check.h"

enum { THREADS = 8 };
static pthread_mutex_t mutex;
static int rounds, inside, counter;

static void* body(void* unused) {
  for (int i = 0; i < rounds; i++) {
    CHECK_OK(pthread_mutex_lock(&mutex));
    CHECK_EQ(inside++, 0);
    counter++;
    if (i % 50 == 0) sched_yield();
    if (i % 500 == 0) usleep(100);
    CHECK_EQ(--inside, 0);
    CHECK_OK(pthread_mutex_unlock(&mutex));
  }
  return unused;
}

int main(int argc, char** argv) {
  const char* kind = argc > 1 ? argv[1] : "normal";
  rounds = arg_or(argc, argv, 2, 5000);
  pthread_mutexattr_t attr;
  CHECK_OK(pthread_mutexattr_init(&attr));
  int known = strcmp(kind, "normal") == 0;
  int error = 0;
#define KIND(name, call) \
  if (strcmp(kind, name) == 0) known = 1, error = call
  KIND("recursive", pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE));
  KIND("errorcheck", pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK));
  KIND("adaptive", pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ADAPTIVE_NP));
  KIND("robust", pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST));
  KIND("inherit", pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT));
  KIND("shared", pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED));
  CHECK(known);
  CHECK_OK(error);
  CHECK_OK(pthread_mutex_init(&mutex, &attr));
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) threads[i] = spawn(body, NULL);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  CHECK_EQ(counter, THREADS * rounds);
  CHECK_OK(pthread_mutex_destroy(&mutex));
  printf("%s %d\n", kind, counter);
}
