// pthread_once: exactly one of the racing threads runs the routine and the others wait for its
// end; a cancelled routine counts as not run.
#include "check.h"

enum { FLAGS = 200, THREADS = 8 };
static pthread_once_t flags[FLAGS], cancelled = PTHREAD_ONCE_INIT;
static pthread_barrier_t start;
static int current, ran[FLAGS], finished[FLAGS], hangs, completes;

static void routine(void) {
  ran[current]++;
  sched_yield();
  finished[current] = 1;
}

static void* body(void* unused) {
  for (int i = 0; i < FLAGS; i++) {
    if (pthread_barrier_wait(&start) == PTHREAD_BARRIER_SERIAL_THREAD) current = i;
    pthread_barrier_wait(&start);
    CHECK_OK(pthread_once(&flags[i], routine));
    CHECK_EQ(finished[i], 1);
  }
  return unused;
}

static void hang(void) {
  __atomic_store_n(&hangs, 1, __ATOMIC_SEQ_CST);
  for (;;) pause();
}
static void complete(void) { completes++; }
static void* call_hang(void* unused) {
  CHECK_OK(pthread_once(&cancelled, hang));
  return unused;
}
static void* call_complete(void* unused) {
  CHECK_OK(pthread_once(&cancelled, complete));
  return unused;
}

int main(void) {
  CHECK_OK(pthread_barrier_init(&start, NULL, THREADS));
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) threads[i] = spawn(body, NULL);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  for (int i = 0; i < FLAGS; i++) CHECK_EQ(ran[i], 1);

  pthread_t stuck = spawn(call_hang, NULL);
  AWAIT(__atomic_load_n(&hangs, __ATOMIC_SEQ_CST));
  pthread_t next = spawn(call_complete, NULL);
  sleep_ms(10);
  CHECK_EQ(__atomic_load_n(&completes, __ATOMIC_SEQ_CST), 0);
  CHECK_OK(pthread_cancel(stuck));
  CHECK(join(stuck) == PTHREAD_CANCELED);
  join(next);
  CHECK_EQ(completes, 1);
  printf("%d flags, each once\n", FLAGS);
}
