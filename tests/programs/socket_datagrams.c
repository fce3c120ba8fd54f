// UDP and Unix datagrams among threads: boundaries and senders' addresses are kept, empty datagrams
// are not the end.
#include "net.h"

enum { CLIENTS = 8, ROUNDS = 100 };
static int server;

static void* serve(void* unused) {
  char text[64];
  for (int i = 0; i < CLIENTS * ROUNDS; i++) {
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;
    ssize_t got = recvfrom(server, text, sizeof text, 0, (struct sockaddr*)&peer, &size);
    CHECK(got >= 0);
    CHECK_EQ(sendto(server, text, (size_t)got, 0, (struct sockaddr*)&peer, size), got);
  }
  return unused;
}

static void* client(void* argument) {
  int fd = bound_socket(SOCK_DGRAM);
  struct sockaddr_in address = loopback(port_of(server));
  if ((intptr_t)argument % 2) CHECK_OK(connect(fd, (struct sockaddr*)&address, sizeof address));
  for (int i = 0; i < ROUNDS; i++) {
    char text[64], back[64];
    int size = i % 10 ? snprintf(text, sizeof text, "%ld:%d", (long)(intptr_t)argument, i) : 0;
    if ((intptr_t)argument % 2) {
      CHECK_EQ(send(fd, text, (size_t)size, 0), size);
    } else {
      CHECK_EQ(sendto(fd, text, (size_t)size, 0, (struct sockaddr*)&address, sizeof address), size);
    }
    CHECK_EQ(recv(fd, back, sizeof back, 0), size);
    CHECK(memcmp(text, back, (size_t)size) == 0);
  }
  CHECK_OK(close(fd));
  return NULL;
}

static int pair[2];
static void* count_datagrams(void* unused) {
  char text[16];
  for (int i = 0; i < 500; i++) CHECK_EQ(recv(pair[0], text, sizeof text, 0), i % 5);
  return unused;
}

int main(void) {
  server = bound_socket(SOCK_DGRAM);
  pthread_t threads[CLIENTS + 1] = {spawn(serve, NULL)};
  for (intptr_t i = 1; i <= CLIENTS; i++) threads[i] = spawn(client, (void*)i);
  for (int i = 0; i <= CLIENTS; i++) join(threads[i]);

  CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
  pthread_t counter = spawn(count_datagrams, NULL);
  for (int i = 0; i < 500; i++) CHECK_EQ(send(pair[1], "abcd", (size_t)(i % 5), 0), i % 5);
  join(counter);
  printf("%d datagrams\n", CLIENTS * ROUNDS + 500);
}
