// timer_create with SIGEV_THREAD_ID, SIGEV_SIGNAL and SIGEV_NONE, overruns, and the three interval
// timers, in a program of several threads.
#include "check.h"

#include <signal.h>
#include <sys/time.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static volatile int count, overruns, thread, value, stop, deleting;
static timer_t timer;

static void on_timer(int sig, siginfo_t* info, void* unused) {
  CHECK_EQ(info->si_code, SI_TIMER);
  if (!deleting) CHECK_EQ(info->si_overrun, timer_getoverrun(timer));
  thread = gettid(), value = info->si_value.sival_int, overruns += info->si_overrun;
  count++;
}

static void on_interval(int sig) { count++; }

static void make(int notify, pid_t tid, int64_t first, int64_t interval) {
  struct sigevent event = {.sigev_notify = notify, .sigev_signo = SIGRTMIN + 3};
  event.sigev_value.sival_int = 99;
  event.sigev_notify_thread_id = tid;
  CHECK_OK(timer_create(CLOCK_MONOTONIC, &event, &timer));
  const struct itimerspec when = {to_timespec(interval), to_timespec(first)};
  count = overruns = 0;
  CHECK_OK(timer_settime(timer, 0, &when, NULL));
}

static void delete (void) {
  deleting = 1;
  CHECK_OK(timer_delete(timer));
  deleting = 0;
}

static void* computes(void* unused) {
  while (!stop) {
  }
  return unused;
}

static void* body(void* unused) {
  sigset_t set, old;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN + 3);
  make(SIGEV_THREAD_ID, gettid(), 5 * MS, 5 * MS);
  AWAIT(count >= 3);
  CHECK(thread == gettid() && value == 99);
  CHECK_OK(pthread_sigmask(SIG_BLOCK, &set, &old));
  count = overruns = 0;
  const int64_t begin = now_ns(CLOCK_MONOTONIC);
  sleep_ms(60);
  CHECK_EQ(count, 0);
  CHECK_OK(pthread_sigmask(SIG_SETMASK, &old, NULL));
  AWAIT(count >= 1);
  // No expiration is lost: they would be missing for ever.
  AWAIT(count + overruns >= (now_ns(CLOCK_MONOTONIC) - begin) / (5 * MS) - 2);
  delete ();

  make(SIGEV_SIGNAL, 0, 5 * MS, 0);
  AWAIT(count == 1);
  CHECK_EQ(value, 99);
  delete ();

  make(SIGEV_NONE, 0, 1000 * SECOND, 0);
  struct itimerspec left;
  sleep_ms(5);
  CHECK_OK(timer_gettime(timer, &left));
  CHECK(left.it_value.tv_sec < 1000 && left.it_value.tv_sec > 900);
  delete ();
  CHECK_EQ(count, 0);
  return unused;
}

int main(void) {
  struct sigaction action = {.sa_sigaction = on_timer, .sa_flags = SA_SIGINFO | SA_RESTART};
  CHECK_OK(sigaction(SIGRTMIN + 3, &action, NULL));
  join(spawn(body, NULL));

  static const int which[] = {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF};
  static const int signals[] = {SIGALRM, SIGVTALRM, SIGPROF};
  pthread_t busy = spawn(computes, NULL);
  for (int i = 0; i < 3; i++) {
    action = (struct sigaction){.sa_handler = on_interval, .sa_flags = SA_RESTART};
    CHECK_OK(sigaction(signals[i], &action, NULL));
    count = 0;
    const struct itimerval when = {{0, 10000}, {0, 10000}}, none = {{0, 0}, {0, 0}};
    CHECK_OK(setitimer(which[i], &when, NULL));
    AWAIT(count >= 3);
    CHECK_OK(setitimer(which[i], &none, NULL));
  }
  stop = 1;
  join(busy);
  puts("fired");
}
