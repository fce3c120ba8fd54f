// Connection storms: the server's threads here, the client in a child, which checks every byte.
#include "soak.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { AT_ONCE = 60, MOST = 20000 };

static pthread_mutex_t fork_lock = PTHREAD_MUTEX_INITIALIZER;

struct connection {
  int fd;
  int* open;  // of its server: those whose thread has not ended
};

static void* echo(void* argument) {
  struct connection connection = *(struct connection*)argument;
  free(argument);
  int fd = connection.fd;
  char buffer[3000];
  ssize_t n;
  while ((n = read(fd, buffer, sizeof buffer)) > 0)
    for (ssize_t done = 0, written; done < n; done += written) {
      written = write(fd, buffer + done, (size_t)(n - done));
      CHECK(written > 0);
    }
  CHECK_EQ(n, 0);
  CHECK_OK(close(fd));
  __atomic_sub_fetch(connection.open, 1, __ATOMIC_SEQ_CST);
  return NULL;
}

static char byte_at(unsigned seed, int i) { return (char)(seed * 31 + (unsigned)i * 7); }

static void exchange(int fd, unsigned seed) {
  char out[MOST], in[MOST];
  int size = 1 + (int)(seed * 2654435761u % MOST);
  for (int i = 0; i < size; i++) out[i] = byte_at(seed, i);
  for (int sent = 0, got = 0; got < size;) {
    if (sent < size) {
      ssize_t n = send(fd, out + sent, (size_t)(size - sent), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (n > 0) sent += (int)n;
    }
    ssize_t n = recv(fd, in + got, (size_t)(size - got), sent < size ? MSG_DONTWAIT : 0);
    CHECK(n != 0);
    CHECK(n > 0 || errno == EAGAIN || errno == EINTR);
    if (n > 0) got += (int)n;
  }
  CHECK(memcmp(in, out, (size_t)size) == 0);
}

// Until the server's end of `alive` is closed.
static void storm(const struct sockaddr_in* address, int alive) {
  unsigned seed = 1;
  char byte;
  while (recv(alive, &byte, 1, MSG_DONTWAIT) < 0) {
    int fds[AT_ONCE];
    for (int i = 0; i < AT_ONCE; i++) {
      CHECK((fds[i] = socket(AF_INET, SOCK_STREAM, 0)) >= 0);
      CHECK_OK(connect(fds[i], (const struct sockaddr*)address, sizeof *address));
    }
    for (int i = 0; i < 3 * AT_ONCE; i++) exchange(fds[i % AT_ONCE], seed++);
    for (int i = 0; i < AT_ONCE; i++) {
      // Reset, so that no port stays in TIME_WAIT; all was echoed.
      struct linger now = {1, 0};
      if (i % 8) {
        CHECK_OK(shutdown(fds[i], SHUT_WR));
        CHECK_EQ(recv(fds[i], &byte, 1, 0), 0);
        CHECK_OK(setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &now, sizeof now));
      }
      CHECK_OK(close(fds[i]));
    }
  }
  _exit(0);
}

void* serve_storms(void* unused) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  int alive[2], listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), status;
  CHECK_OK(bind(listener, (struct sockaddr*)&address, size));
  CHECK_OK(listen(listener, 4096));
  CHECK_OK(getsockname(listener, (struct sockaddr*)&address, &size));
  // Together: else each of two clients could hold the end that tells the other to stop.
  CHECK_OK(pthread_mutex_lock(&fork_lock));
  CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, alive));
  pid_t client = fork();
  if (client == 0) {
    close(alive[1]);
    storm(&address, alive[0]);
  }
  CHECK_OK(pthread_mutex_unlock(&fork_lock));
  close(alive[0]);
  pthread_attr_t attr;
  CHECK_OK(pthread_attr_init(&attr));
  CHECK_OK(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED));
  int told = 0, open = 0;
  for (;;) {
    struct pollfd ready = {listener, POLLIN, 0};
    if (poll(&ready, 1, 50) == 1) {
      pthread_t thread;
      struct connection* connection = malloc(sizeof *connection);
      *connection = (struct connection){accept(listener, NULL, NULL), &open};
      CHECK(connection->fd >= 0);
      __atomic_add_fetch(&open, 1, __ATOMIC_SEQ_CST);
      CHECK_OK(pthread_create(&thread, &attr, echo, connection));
    }
    if (stopping && !told) told = close(alive[1]) == 0;
    if (told && waitpid(client, &status, WNOHANG) == client) break;
  }
  CHECK_EQ(status, 0);
  // Its client has ended, so each has its end of file; the runner's limit tells a hang.
  while (__atomic_load_n(&open, __ATOMIC_SEQ_CST)) sleep_ms(1);
  CHECK_OK(close(listener));
  CHECK_OK(pthread_attr_destroy(&attr));
  return unused;
}
