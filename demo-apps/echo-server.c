// A TCP echo server in the oldest style: one thread per connection, blocking
// accept, read and write. It knows nothing of libgreen.
//
//   echo-server [--port N] [--stack BYTES]     port 0 (the default): any free one
//
// It listens on 127.0.0.1, prints "port N" when it is ready, and ends on SIGTERM
// or SIGINT.

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int listener = -1;
static volatile sig_atomic_t stopping;

// Any thread may get the signal; shutting the listener down wakes the accept
// wherever it is, without a race between a test of the flag and the wait.
static void stop(int sig) {
  (void)sig;
  int saved = errno;
  stopping = 1;
  shutdown(listener, SHUT_RDWR);
  errno = saved;
}

static int write_all(int fd, const char* data, size_t size) {
  while (size > 0) {
    ssize_t n = write(fd, data, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return -1;
    data += n;
    size -= (size_t)n;
  }
  return 0;
}

static void* serve(void* arg) {
  int fd = (int)(intptr_t)arg;
  char buffer[4096];
  for (;;) {
    ssize_t n = read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0 || write_all(fd, buffer, (size_t)n) != 0) break;
  }
  close(fd);
  return NULL;
}

static void die(const char* what) {
  fprintf(stderr, "echo-server: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void open_listener(int port) {
  int one = 1;
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0) die("socket");
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  // Accepted sockets inherit this one.
  setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (bind(listener, (struct sockaddr*)&address, sizeof address) != 0) die("bind");
  if (listen(listener, 16384) != 0) die("listen");
  if (getsockname(listener, (struct sockaddr*)&address, &length) != 0) die("getsockname");
  printf("port %d\n", ntohs(address.sin_port));
  fflush(stdout);
}

static void accept_all(const pthread_attr_t* attr) {
  while (!stopping) {
    int fd = accept(listener, NULL, NULL);
    if (fd < 0) {
      if (stopping) return;
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM) die("accept");
      usleep(1000);
      continue;
    }
    pthread_t thread;
    int error = pthread_create(&thread, attr, serve, (void*)(intptr_t)fd);
    if (error != 0) {
      fprintf(stderr, "echo-server: pthread_create: %s\n", strerror(error));
      close(fd);
    }
  }
}

int main(int argc, char** argv) {
  static const struct option options[] = {
      {"port", required_argument, 0, 'p'}, {"stack", required_argument, 0, 's'}, {0, 0, 0, 0}};
  pthread_attr_t attr;
  int port = 0;
  pthread_attr_init(&attr);
  pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
  for (int option; (option = getopt_long(argc, argv, "p:s:", options, NULL)) != -1;) {
    if (option == 'p') {
      port = atoi(optarg);
    } else if (option != 's' || pthread_attr_setstacksize(&attr, strtoul(optarg, NULL, 0)) != 0) {
      fprintf(stderr, "usage: echo-server [--port N] [--stack BYTES]\n");
      return 2;
    }
  }
  struct sigaction action = {.sa_handler = stop, .sa_flags = SA_RESTART};
  signal(SIGPIPE, SIG_IGN);
  open_listener(port);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  accept_all(&attr);
  return 0;
}
