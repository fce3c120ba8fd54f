// accept with no number left for the new socket fails at once, though nobody connects; with one
// left it waits.
#include "net.h"

#include <sys/resource.h>

static int listener;

static void* accepts(void* unused) {
  int got = accept(listener, NULL, NULL);
  CHECK(got >= 0);
  return unused;
}

int main(void) {
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  socklen_t size = sizeof(sa_family_t);
  listener = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK_OK(bind(listener, (struct sockaddr*)&name, size));
  CHECK_OK(listen(listener, 4));
  size = sizeof name;
  CHECK_OK(getsockname(listener, (struct sockaddr*)&name, &size));
  int client = socket(AF_UNIX, SOCK_STREAM, 0), last = -1;
  pthread_t before = spawn(accepts, NULL);  // libgreen's own descriptors are there
  CHECK_OK(connect(client, (struct sockaddr*)&name, size));
  join(before);
  close(client);
  client = socket(AF_UNIX, SOCK_STREAM, 0);
  struct rlimit few = {48, 48};
  CHECK_OK(setrlimit(RLIMIT_NOFILE, &few));
  for (int copy; (copy = dup(listener)) >= 0;) last = copy;
  CHECK_EQ(errno, EMFILE);
  CHECK(accept(listener, NULL, NULL) == -1 && errno == EMFILE);
  CHECK(accept4(listener, NULL, NULL, SOCK_CLOEXEC) == -1 && errno == EMFILE);
  CHECK_OK(close(last));
  pthread_t thread = spawn(accepts, NULL);
  sleep_ms(20);
  CHECK_OK(connect(client, (struct sockaddr*)&name, size));
  join(thread);
  puts("as natively");
}
