// A thread per connection echoes; as many clients send messages of growing size and check each
// byte.
#include "net.h"

static int listener, rounds;

static void* serve(void* argument) {
  int fd = (int)(intptr_t)argument;
  char buffer[4096];
  ssize_t got;
  while ((got = recv(fd, buffer, sizeof buffer, 0)) > 0) write_all(fd, buffer, (size_t)got);
  CHECK_EQ(got, 0);
  CHECK_OK(close(fd));
  return NULL;
}

static void* accept_all(void* argument) {
  int connections = (int)(intptr_t)argument;
  for (int i = 0; i < connections; i++) {
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;
    int fd = accept4(listener, (struct sockaddr*)&peer, &size, SOCK_CLOEXEC);
    CHECK(fd >= 0);
    CHECK_EQ(size, sizeof peer);
    CHECK_EQ(peer.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    CHECK_OK(pthread_detach(spawn(serve, (void*)(intptr_t)fd)));
  }
  return NULL;
}

static void* client(void* argument) {
  int fd = tcp_connect((int)(intptr_t)argument);
  char sent[9000], got[9000];
  for (int i = 0; i < rounds; i++) {
    size_t size = (size_t)(i * i * 7 % 9000 + 1);
    for (size_t n = 0; n < size; n++) sent[n] = (char)(n * 31 + i + fd);
    CHECK_EQ(send(fd, sent, size, MSG_NOSIGNAL), size);
    CHECK_EQ(read_all(fd, got, size), size);
    CHECK(memcmp(sent, got, size) == 0);
  }
  CHECK_OK(shutdown(fd, SHUT_WR));
  CHECK_EQ(recv(fd, got, 1, 0), 0);
  CHECK_OK(close(fd));
  return NULL;
}

int main(int argc, char** argv) {
  int connections = arg_or(argc, argv, 1, 150);
  rounds = arg_or(argc, argv, 2, 20);
  listener = tcp_listen(1000);
  pthread_t acceptor = spawn(accept_all, (void*)(intptr_t)connections);
  pthread_t* threads = calloc((size_t)connections, sizeof *threads);
  for (int i = 0; i < connections; i++) {
    threads[i] = spawn(client, (void*)(intptr_t)port_of(listener));
  }
  join(acceptor);
  for (int i = 0; i < connections; i++) join(threads[i]);
  free(threads);
  printf("%d connections, %d echoes\n", connections, connections * rounds);
}
