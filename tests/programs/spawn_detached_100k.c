// The historic program: a hundred thousand detached threads, then main leaves with pthread_exit.
// The last thread to end ends the process, so the atexit handler must see them all.
#include "check.h"

static int count, ran;

static void report(void) {
  CHECK_EQ(__atomic_load_n(&ran, __ATOMIC_SEQ_CST), count);
  dprintf(1, "%d threads ran\n", count);
}

static void* body(void* unused) {
  __atomic_add_fetch(&ran, 1, __ATOMIC_SEQ_CST);
  return unused;
}

int main(int argc, char** argv) {
  count = arg_or(argc, argv, 1, 100000);
  CHECK_OK(atexit(report));
  pthread_attr_t attr;
  CHECK_OK(pthread_attr_init(&attr));
  CHECK_OK(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED));
  for (int i = 0; i < count; i++) {
    pthread_t thread;
    int error;
    // On a loaded machine the kernel's thread numbers may run out natively until some have ended.
    while ((error = pthread_create(&thread, &attr, body, NULL)) == EAGAIN) sleep_ms(1);
    CHECK_OK(error);
  }
  CHECK_OK(pthread_attr_destroy(&attr));
  pthread_exit(NULL);
}
