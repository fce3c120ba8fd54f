// Many threads accept on one listener while many connect; refused and wrong connects fail natively.
#include "net.h"

enum { ACCEPTORS = 5, CLIENTS = 10, EACH = 20 };
static int listener, accepted;

static void* acceptor(void* unused) {
  for (;;) {
    int fd = accept(listener, NULL, NULL);
    CHECK(fd >= 0);
    int id;
    CHECK_EQ(read_all(fd, &id, sizeof id), sizeof id);
    CHECK_OK(close(fd));
    if (id < 0) return unused;
    __atomic_add_fetch(&accepted, 1, __ATOMIC_SEQ_CST);
  }
}

static void* client(void* port) {
  for (int i = 0; i < EACH; i++) {
    int fd = tcp_connect((int)(intptr_t)port);
    write_all(fd, &i, sizeof i);
    char byte;
    CHECK_EQ(read(fd, &byte, 1), 0);
    CHECK_OK(close(fd));
  }
  return NULL;
}

static void* refused(void* unused) {
  int closed = bound_socket(SOCK_STREAM), fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = loopback(port_of(closed));
  CHECK_ERRNO(connect(fd, (struct sockaddr*)&address, sizeof address), ECONNREFUSED);
  CHECK_OK(close(fd));
  CHECK_ERRNO(connect(fd, (struct sockaddr*)&address, sizeof address), EBADF);
  fd = tcp_connect(port_of(listener));
  CHECK_ERRNO(connect(fd, (struct sockaddr*)&address, sizeof address), EISCONN);
  int end = -1;
  write_all(fd, &end, sizeof end);  // Ends one acceptor.
  CHECK_OK(close(fd));
  CHECK_OK(close(closed));
  return unused;
}

int main(void) {
  listener = tcp_listen(100);
  pthread_t acceptors[ACCEPTORS], clients[CLIENTS];
  for (int i = 0; i < ACCEPTORS; i++) acceptors[i] = spawn(acceptor, NULL);
  for (int i = 0; i < CLIENTS; i++) {
    clients[i] = spawn(client, (void*)(intptr_t)port_of(listener));
  }
  for (int i = 0; i < CLIENTS; i++) join(clients[i]);
  for (int i = 0; i < ACCEPTORS; i++) join(spawn(refused, NULL));
  for (int i = 0; i < ACCEPTORS; i++) join(acceptors[i]);
  CHECK_EQ(accepted, CLIENTS * EACH);
  printf("%d accepted\n", accepted);
}
