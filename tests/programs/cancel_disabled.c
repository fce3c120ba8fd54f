// A cancel that is disabled stays pending through blocking calls, unharmed, and acts at the first
// cancellation point after it is enabled.
#include "check.h"

static int fds[2], phase;

static void* body(void* unused) {
  (void)unused;
  int old;
  char bytes[5];
  CHECK_OK(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old));
  CHECK_EQ(old, PTHREAD_CANCEL_ENABLE);
  __atomic_store_n(&phase, 1, __ATOMIC_SEQ_CST);
  CHECK_EQ(read(fds[0], bytes, sizeof bytes), 5);
  CHECK(memcmp(bytes, "hello", 5) == 0);
  sleep_ms(2);
  pthread_testcancel();
  CHECK_OK(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old));
  CHECK_EQ(old, PTHREAD_CANCEL_DISABLE);
  __atomic_store_n(&phase, 2, __ATOMIC_SEQ_CST);
  pthread_testcancel();
  CHECK(!"the pending cancel acted");
  return NULL;
}

int main(void) {
  CHECK_EQ(pthread_setcancelstate(77, NULL), EINVAL);
  CHECK_EQ(pthread_setcanceltype(77, NULL), EINVAL);
  CHECK_OK(pipe(fds));
  for (int round = 0; round < 20; round++) {
    phase = 0;
    pthread_t thread = spawn(body, NULL);
    AWAIT(__atomic_load_n(&phase, __ATOMIC_SEQ_CST) == 1);
    if (round % 2) sleep_ms(2);
    CHECK_OK(pthread_cancel(thread));
    sleep_ms(1);
    CHECK_EQ(pthread_tryjoin_np(thread, NULL), EBUSY);
    CHECK_EQ(write(fds[1], "hello", 5), 5);
    CHECK(join(thread) == PTHREAD_CANCELED);
    CHECK_EQ(phase, 2);
  }
  printf("20 cancels deferred\n");
}
