// Children that are to have a signal at their parent's end live as long as the thread that made
// them, whatever becomes of OS threads: a spare one ends after three seconds.
#include "held_child.h"

#include <signal.h>
#include <sys/prctl.h>

enum { THREADS = 6, SPARE_LIFE_MS = 3500 };
static int lifeline[2];
static pid_t children[THREADS];
static volatile int waited;

static void* become_parent(void* at) {
  char c;
  pid_t child = fork();
  if (child == 0) {
    close(hold[1]);
    close(lifeline[1]);
    CHECK_OK(prctl(PR_SET_PDEATHSIG, SIGKILL));
    _exit(read(lifeline[0], &c, 1));
  }
  *(pid_t*)at = child;
  wait_for_held_child();
  __atomic_fetch_add(&waited, 1, __ATOMIC_RELAXED);
  sleep_ms(SPARE_LIFE_MS + 500);
  return NULL;
}

int main(void) {
  pthread_t threads[THREADS];
  CHECK_OK(pipe(lifeline));
  CHECK_OK(pipe(hold));
  for (int i = 0; i < THREADS; i++) threads[i] = spawn(become_parent, &children[i]);
  sleep_ms(100);
  close(hold[1]);
  AWAIT(waited == THREADS);
  sleep_ms(SPARE_LIFE_MS);
  for (int i = 0; i < THREADS; i++) CHECK_EQ(waitpid(children[i], NULL, WNOHANG), 0);
  close(lifeline[1]);
  for (int i = 0; i < THREADS; i++) join(threads[i]);
  for (int i = 0; i < THREADS; i++) CHECK_EQ(waitpid(children[i], NULL, 0), children[i]);
  puts("all of them lived");
}
