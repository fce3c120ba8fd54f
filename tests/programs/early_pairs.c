// Pipes and socket pairs made before the first thread: turns go through them, also after an end got
// another number, and what another process does to a shared end's O_NONBLOCK is seen at once.
#include "tests/programs/check.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { kTurns = 500 };

static int from[2], to[2];  // the partner's and main's

static void* echo(void* fds) {
  int* fd = fds;
  for (int i = 0; i < kTurns; i++) {
    char byte;
    CHECK_EQ(read(fd[0], &byte, 1), 1);
    CHECK_EQ(write(fd[1], &byte, 1), 1);
  }
  return NULL;
}

static void take_turns(int partner_in, int partner_out, int in, int out) {
  int fds[] = {partner_in, partner_out};
  pthread_t thread;
  CHECK_OK(pthread_create(&thread, NULL, echo, fds));
  for (int i = 0; i < kTurns; i++) {
    char byte = (char)i, back;
    CHECK_EQ(write(out, &byte, 1), 1);
    CHECK_EQ(read(in, &back, 1), 1);
    CHECK_EQ(back, byte);
  }
  CHECK_OK(pthread_join(thread, NULL));
}

// In a child, which shares the open file description.
static void set_nonblocking_elsewhere(int fd, int on) {
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) _exit(fcntl(fd, F_SETFL, on ? O_NONBLOCK : 0) != 0);
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
}

int main(void) {
  int pair[2];
  CHECK_OK(pipe(from));
  CHECK_OK(pipe(to));
  CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  take_turns(to[0], from[1], from[0], to[1]);
  take_turns(pair[1], pair[1], pair[0], pair[0]);

  // The old number becomes another file's.
  int moved = dup(to[0]);
  CHECK(moved >= 0);
  CHECK_OK(close(to[0]));
  int other[2];
  CHECK_OK(pipe(other));
  take_turns(moved, from[1], from[0], to[1]);
  take_turns(other[0], from[1], from[0], other[1]);

  char byte;
  for (int i = 0; i < 3; i++) {
    set_nonblocking_elsewhere(from[0], 1);
    set_nonblocking_elsewhere(pair[0], 1);
    CHECK_ERRNO(read(from[0], &byte, 1), EAGAIN);
    CHECK_ERRNO(read(pair[0], &byte, 1), EAGAIN);
    set_nonblocking_elsewhere(from[0], 0);
    set_nonblocking_elsewhere(pair[0], 0);
    take_turns(moved, from[1], from[0], to[1]);
    take_turns(pair[1], pair[1], pair[0], pair[0]);
  }
  printf("turns taken\n");
  return 0;
}
