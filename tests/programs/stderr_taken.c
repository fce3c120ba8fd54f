// A program without stderr, since its start or since it closed it, gets number 2 for a connection
// of its own: a runtime beneath that complains of a setting must not do so there.
#include "check.h"

#include <sys/socket.h>
#include <sys/wait.h>

static void* nothing(void* unused) { return unused; }

static void with_a_thread(void) {
  pthread_t thread;
  CHECK_OK(pthread_create(&thread, NULL, nothing, NULL));
  CHECK_OK(pthread_join(thread, NULL));
}

// Exit statuses tell which check failed: there is no stderr.
static int takes_number_2(void) {
  int pair[2];
  char byte;
  close(2);
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || pair[0] != 2) return 2;
  with_a_thread();
  return recv(pair[1], &byte, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN ? 0 : 3;
}

int main(int argc, char** argv) {
  if (argc > 1) return takes_number_2();
  with_a_thread();
  CHECK_OK(setenv("GREEN_NONSENSE", "1", 1));
  for (int closed = 0; closed < 2; closed++) {
    const pid_t child = fork();
    if (child == 0) {
      if (closed) close(2);
      execl("/proc/self/exe", argv[0], "child", NULL);
      _exit(4);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_OK(status);
  }
  printf("not a word\n");
}
