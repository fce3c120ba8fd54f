// The yardstick: a hand-written single-threaded epoll echo server, as lean as
// the interface allows. Per request: one recv, one send, a share of an
// epoll_wait. Edge-triggered, so that the kernel does not look at each socket a
// second time; a short read means the socket is empty, so no recv is spent on
// finding that out.
//
//   epoll_server [--port N] [--stack BYTES]    --stack is taken and ignored
//
// Same conduct as echo-server: 127.0.0.1, prints "port N", ends on SIGTERM.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { kBuffer = 4096, kBatch = 64 };

// What a full socket did not take, by file descriptor. While it is there
// nothing more is read from that connection.
struct unsent {
  char* data;
  size_t size;
};
static struct unsent* unsent;
static int capacity;
static int poller;

static void die(const char* what) {
  fprintf(stderr, "epoll_server: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void watch(int fd, uint32_t events) {
  struct epoll_event event = {.events = events, .data.fd = fd};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
}

static void drop(int fd) {
  free(unsent[fd].data);
  unsent[fd] = (struct unsent){0};
  close(fd);
}

// 1: all sent; 0: the socket is full, the rest is kept; -1: the peer is gone.
static int send_or_keep(int fd, const char* data, size_t size) {
  ssize_t n = send(fd, data, size, MSG_NOSIGNAL);
  if (n == (ssize_t)size) return 1;
  if (n < 0 && errno != EAGAIN) return -1;
  size_t sent = n < 0 ? 0 : (size_t)n;
  char* rest = malloc(size - sent);
  if (!rest) return -1;
  memcpy(rest, data + sent, size - sent);
  free(unsent[fd].data);
  unsent[fd] = (struct unsent){rest, size - sent};
  return 0;
}

static void serve(int fd, uint32_t events) {
  static char buffer[kBuffer];
  if (unsent[fd].data) {
    struct unsent old = unsent[fd];
    unsent[fd].data = NULL;
    int sent = send_or_keep(fd, old.data, old.size);
    free(old.data);
    if (sent < 0) drop(fd);
    if (sent <= 0) return;
    events |= EPOLLRDHUP;  // edges that came meanwhile were not acted on
  }
  for (;;) {
    ssize_t n = recv(fd, buffer, sizeof buffer, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return drop(fd);
    int sent = send_or_keep(fd, buffer, (size_t)n);
    if (sent < 0) drop(fd);
    if (sent <= 0) return;
    if (n < kBuffer && !(events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))) return;
  }
}

static void accept_all(int listener) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0) return;
    if (fd >= capacity) {
      int grown = fd * 2;
      unsent = realloc(unsent, (size_t)grown * sizeof *unsent);
      if (!unsent) die("realloc");
      memset(unsent + capacity, 0, (size_t)(grown - capacity) * sizeof *unsent);
      capacity = grown;
    }
    watch(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
  }
}

static int open_listener(int port) {
  int one = 1;
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) die("socket");
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (bind(fd, (struct sockaddr*)&address, sizeof address) != 0) die("bind");
  if (listen(fd, 16384) != 0) die("listen");
  if (getsockname(fd, (struct sockaddr*)&address, &length) != 0) die("getsockname");
  printf("port %d\n", ntohs(address.sin_port));
  fflush(stdout);
  return fd;
}

int main(int argc, char** argv) {
  static const struct option options[] = {
      {"port", required_argument, 0, 'p'}, {"stack", required_argument, 0, 's'}, {0, 0, 0, 0}};
  int port = 0;
  for (int option; (option = getopt_long(argc, argv, "p:s:", options, NULL)) != -1;) {
    if (option == 'p') port = atoi(optarg);
    if (option == '?') return 2;
  }
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGINT);
  sigprocmask(SIG_BLOCK, &ending, NULL);
  poller = epoll_create1(EPOLL_CLOEXEC);
  int stop = signalfd(-1, &ending, SFD_CLOEXEC);
  if (poller < 0 || stop < 0) die("epoll_create1 or signalfd");
  int listener = open_listener(port);
  watch(listener, EPOLLIN);
  watch(stop, EPOLLIN);
  for (;;) {
    struct epoll_event events[kBatch];
    int n = epoll_wait(poller, events, kBatch, -1);
    if (n < 0 && errno != EINTR) die("epoll_wait");
    for (int i = 0; i < n; i++) {
      int fd = events[i].data.fd;
      if (fd == stop) return 0;
      if (fd == listener) {
        accept_all(listener);
      } else {
        serve(fd, events[i].events);
      }
    }
  }
}
