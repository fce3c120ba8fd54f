// What each mutex type does on relock, on unlock by a stranger and when it is not locked.
#include "check.h"

static void* try_other(void* mutex) {
  CHECK_EQ(pthread_mutex_trylock(mutex), EBUSY);
  return NULL;
}

static void* unlock_other(void* mutex) {
  CHECK_EQ(pthread_mutex_unlock(mutex), EPERM);
  return NULL;
}

static pthread_mutex_t make(int type) {
  pthread_mutexattr_t attr;
  int back;
  pthread_mutex_t mutex;
  CHECK_OK(pthread_mutexattr_init(&attr));
  CHECK_OK(pthread_mutexattr_settype(&attr, type));
  CHECK_OK(pthread_mutexattr_gettype(&attr, &back));
  CHECK_EQ(back, type);
  CHECK_OK(pthread_mutex_init(&mutex, &attr));
  CHECK_OK(pthread_mutexattr_destroy(&attr));
  return mutex;
}

int main(void) {
  const int types[] = {PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ADAPTIVE_NP, PTHREAD_MUTEX_ERRORCHECK,
                       PTHREAD_MUTEX_RECURSIVE};
  for (int i = 0; i < 4; i++) {
    pthread_mutex_t mutex = make(types[i]);
    CHECK_OK(pthread_mutex_lock(&mutex));
    join(spawn(try_other, &mutex));
    if (types[i] == PTHREAD_MUTEX_ERRORCHECK) {
      CHECK_EQ(pthread_mutex_lock(&mutex), EDEADLK);
      join(spawn(unlock_other, &mutex));
    } else if (types[i] == PTHREAD_MUTEX_RECURSIVE) {
      for (int n = 0; n < 5; n++) CHECK_OK(pthread_mutex_lock(&mutex));
      CHECK_OK(pthread_mutex_trylock(&mutex));
      for (int n = 0; n < 6; n++) CHECK_OK(pthread_mutex_unlock(&mutex));
      join(spawn(try_other, &mutex));
      join(spawn(unlock_other, &mutex));
    } else {
      CHECK_EQ(pthread_mutex_trylock(&mutex), EBUSY);
    }
    CHECK_EQ(pthread_mutex_destroy(&mutex), EBUSY);
    CHECK_OK(pthread_mutex_unlock(&mutex));
    if (types[i] == PTHREAD_MUTEX_ERRORCHECK || types[i] == PTHREAD_MUTEX_RECURSIVE) {
      CHECK_EQ(pthread_mutex_unlock(&mutex), EPERM);
    }
    CHECK_OK(pthread_mutex_destroy(&mutex));
  }
  printf("4 types\n");
}
