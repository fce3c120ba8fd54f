// No descriptor number is left: calls that need one say EMFILE; waits need none and go on; with a
// number free again all goes on. A blocked accept may have put a number by or not: Linux does, when
// it is called.
#include "net.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

static int listener, fds[2];

static void* accepts(void* unused) {
  errno = 0;
  const int fd = accept(listener, NULL, NULL);
  return (void*)(long)(fd >= 0 ? fd : -errno);
}

static void* reads(void* unused) {
  struct pollfd p = {fds[0], POLLIN, 0};
  char byte = 0;
  CHECK_EQ(poll(&p, 1, -1), 1);
  CHECK_EQ(read(fds[0], &byte, 1), 1);
  return (void*)(long)byte;
}

int main(void) {
  struct rlimit limit;
  CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
  limit.rlim_cur = 96;
  CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
  listener = tcp_listen(16);
  CHECK_OK(pipe(fds));
  int clients[3], taken[96], count = 0;
  for (int i = 0; i < 3; i++) CHECK((clients[i] = socket(AF_INET, SOCK_STREAM, 0)) >= 0);
  struct sockaddr_in address = loopback(port_of(listener));
  pthread_t reader = spawn(reads, NULL), waits = spawn(accepts, NULL);
  sleep_ms(50);  // Nothing tells when they have begun to wait.
  while ((taken[count] = dup(0)) >= 0) count++;
  CHECK_EQ(errno, EMFILE);
  CHECK_OK(connect(clients[0], (struct sockaddr*)&address, sizeof address));
  const long early = (long)join(waits);
  CHECK(early >= 0 || early == -EMFILE);
  int pair[2];
  CHECK(pipe(pair) == -1 && errno == EMFILE);
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1 && errno == EMFILE);
  CHECK(open("/dev/null", O_RDONLY) == -1 && errno == EMFILE);
  CHECK(eventfd(0, 0) == -1 && errno == EMFILE);
  CHECK(epoll_create1(0) == -1 && errno == EMFILE);
  CHECK_OK(connect(clients[1], (struct sockaddr*)&address, sizeof address));
  CHECK_EQ((long)accepts(NULL), -EMFILE);
  CHECK_EQ(write(fds[1], "x", 1), 1);
  CHECK_EQ((long)join(reader), 'x');
  CHECK_OK(close(taken[--count]));
  const long first = (long)accepts(NULL);  // one that waited all the time
  CHECK_EQ(first, taken[count]);
  while (count > 0) CHECK_OK(close(taken[--count]));
  if (early < 0) CHECK((long)accepts(NULL) >= 0);
  waits = spawn(accepts, NULL);
  CHECK_OK(connect(clients[2], (struct sockaddr*)&address, sizeof address));
  CHECK((long)join(waits) >= 0);
  printf("accepted again\n");
}
