#define _GNU_SOURCE
#include "load_connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

void load_fail(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("echo_load: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(1);
}

static void ask_for_tunnel(int fd, int port) {
  char text[512];
  int size =
      snprintf(text, sizeof text, "CONNECT 127.0.0.1:%d HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", port);
  if (send(fd, text, (size_t)size, MSG_NOSIGNAL) != size) load_fail("the proxy takes no request");
  size_t got = 0;
  do {
    ssize_t n = recv(fd, text + got, sizeof text - 1 - got, 0);
    if (n <= 0) load_fail("the proxy closed a connection");
    got += (size_t)n;
    text[got] = '\0';
  } while (!strstr(text, "\r\n\r\n") && got < sizeof text - 1);
  if (!strstr(text, " 200 ")) load_fail("the proxy refused: %.60s", text);
}

void connection_open(struct connection* c, uint32_t number, const struct load_options* options) {
  int one = 1;
  struct sockaddr_in to = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)options->port),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  c->number = number;
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (c->fd < 0) load_fail("socket %u: %s", number, strerror(errno));
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(c->fd, (struct sockaddr*)&to, sizeof to) != 0)
    load_fail("connect %u: %s", number, strerror(errno));
  if (options->tunnel) ask_for_tunnel(c->fd, options->tunnel);
  if (fcntl(c->fd, F_SETFL, O_NONBLOCK) != 0) load_fail("fcntl: %s", strerror(errno));
}

void connection_send_rest(struct connection* c, const struct load_options* options) {
  static struct message request;
  request_of(&options->traffic, c->number, c->counter, &request);
  ssize_t n = send(c->fd, request.bytes + c->sent, request.size - c->sent, MSG_NOSIGNAL);
  if (n < 0 && errno != EAGAIN) load_fail("send: %s", strerror(errno));
  if (n > 0) c->sent += (size_t)n;
  c->blocked = c->sent < request.size;
}

void connection_begin(struct connection* c, const struct load_options* options, uint64_t now) {
  c->began = now;
  c->sent = c->received = 0;
  connection_send_rest(c, options);
}

bool connection_receive(struct connection* c, const struct load_options* options) {
  static char buffer[kMaxMessage];
  ssize_t n = recv(c->fd, buffer, sizeof buffer - c->received, 0);
  if (n < 0 && errno == EAGAIN) return false;
  if (n < 0) load_fail("recv: %s", strerror(errno));
  if (n == 0) load_fail("connection %u was closed by the server", c->number);
  const char* bytes = buffer;
  if (c->partial) {
    memcpy(c->partial + c->received, buffer, (size_t)n);
    bytes = c->partial;
  }
  c->received += (size_t)n;
  enum answer answer = judge_answer(&options->traffic, c->number, c->counter, bytes, c->received);
  if (answer == kWrong)
    load_fail("wrong byte: connection %u, request %llu, among the first %zu bytes", c->number,
              (unsigned long long)c->counter, c->received);
  if (answer == kIncomplete) {
    if (!c->partial) {
      c->partial = malloc(kMaxMessage);
      if (!c->partial) load_fail("out of memory");
      memcpy(c->partial, buffer, c->received);
    }
    return false;
  }
  free(c->partial);
  c->partial = NULL;
  c->counter++;
  return true;
}
