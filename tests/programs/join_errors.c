// What join and detach refuse: oneself, a thread that is detached.
#include "check.h"

static void* wait_for_release(void* mutex) {
  CHECK_OK(pthread_mutex_lock(mutex));
  CHECK_OK(pthread_mutex_unlock(mutex));
  return NULL;
}

int main(void) {
  CHECK_EQ(pthread_join(pthread_self(), NULL), EDEADLK);

  // Static: the detached thread may outlive this frame.
  static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  CHECK_OK(pthread_mutex_lock(&mutex));
  pthread_t detached = spawn(wait_for_release, &mutex);
  CHECK_OK(pthread_detach(detached));
  CHECK_EQ(pthread_detach(detached), EINVAL);
  CHECK_EQ(pthread_join(detached, NULL), EINVAL);
  CHECK_OK(pthread_mutex_unlock(&mutex));
  printf("refused as natively\n");
}
