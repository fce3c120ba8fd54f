// System calls that wait, start a thread, end one: for gdb to go through instruction by
// instruction.
#include <pthread.h>
#include <unistd.h>

static int fds[2];

static void* other(void* arg) { return write(fds[1], "x", 1) == 1 ? arg : NULL; }

__attribute__((noinline)) static int scenario(void) {
  char c;
  pthread_t thread;
  pthread_create(&thread, NULL, other, NULL);
  const int got = (int)read(fds[0], &c, 1);
  pthread_join(thread, NULL);
  return got;
}

int main(void) {
  if (pipe(fds)) return 1;
  if (scenario() != 1) return 1;
  return scenario() != 1;
}
