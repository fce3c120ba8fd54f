// A handler that interrupts a call for which the thread gave its processor away may itself wait
// and yield.
#include "check.h"

#include <sched.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

static volatile int ticks;

static void* nothing(void* argument) { return argument; }

static void on_alarm(int number) {
  (void)number;
  int saved = errno;
  struct timespec pause = {0, 100000};
  nanosleep(&pause, NULL);
  sched_yield();
  ticks++;
  errno = saved;
}

int main(void) {
  join(spawn(nothing, NULL));
  struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
  CHECK_OK(sigaction(SIGALRM, &action, NULL));
  for (int i = 0; i < 10; i++) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      sleep_ms(30);
      _exit(i);
    }
    struct itimerval every = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
    CHECK_OK(setitimer(ITIMER_REAL, &every, NULL));
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(WEXITSTATUS(status), i);
    CHECK_OK(setitimer(ITIMER_REAL, &never, NULL));
  }
  CHECK(ticks > 10);
  puts("the handler waited inside waitpid");
}
