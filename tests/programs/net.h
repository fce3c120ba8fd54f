// Sockets and whole reads and writes, for the programs that do I/O.
#pragma once
#include "check.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

static inline void write_all(int fd, const void* data, size_t size) {
  for (size_t done = 0; done < size;) {
    ssize_t now = write(fd, (const char*)data + done, size - done);
    CHECK(now > 0);
    done += (size_t)now;
  }
}

// Fewer than `size` only at the end of the stream.
static inline size_t read_all(int fd, void* data, size_t size) {
  size_t done = 0;
  while (done < size) {
    ssize_t now = read(fd, (char*)data + done, size - done);
    CHECK(now >= 0);
    if (now == 0) break;
    done += (size_t)now;
  }
  return done;
}

static inline struct sockaddr_in loopback(int port) {
  struct sockaddr_in address;
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_port = htons((uint16_t)port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

static inline int port_of(int fd) {
  struct sockaddr_in address;
  socklen_t size = sizeof address;
  CHECK_OK(getsockname(fd, (struct sockaddr*)&address, &size));
  return ntohs(address.sin_port);
}

static inline int bound_socket(int type) {
  int fd = socket(AF_INET, type, 0);
  CHECK(fd >= 0);
  struct sockaddr_in address = loopback(0);
  CHECK_OK(bind(fd, (struct sockaddr*)&address, sizeof address));
  return fd;
}

static inline int tcp_listen(int backlog) {
  int fd = bound_socket(SOCK_STREAM);
  CHECK_OK(listen(fd, backlog));
  return fd;
}

static inline int tcp_connect(int port) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(fd >= 0);
  struct sockaddr_in address = loopback(port);
  CHECK_OK(connect(fd, (struct sockaddr*)&address, sizeof address));
  return fd;
}

static inline void tcp_pair(int pair[2]) {
  int listener = tcp_listen(1);
  pair[0] = tcp_connect(port_of(listener));
  pair[1] = accept(listener, NULL, NULL);
  CHECK(pair[1] >= 0);
  CHECK_OK(close(listener));
}
