// Two hundred relays, each a thread that polls two sockets and passes bytes on both ways, as a
// proxy does; a client and a server at the ends of each check the stream.
#include "net.h"

static int relays, messages;

struct relay {
  int left[2], right[2];
};

static void* relay(void* argument) {
  struct relay* r = argument;
  struct pollfd p[2] = {{r->left[1], POLLIN, 0}, {r->right[0], POLLIN, 0}};
  int open = 2;
  while (open > 0) {
    int ready = poll(p, 2, 20000), seen = 0;
    CHECK(ready > 0);
    for (int i = 0; i < 2; i++) {
      if (p[i].revents == 0) continue;
      seen++;
      char buffer[512];
      ssize_t got = read(p[i].fd, buffer, sizeof buffer);
      CHECK(got >= 0);
      int to = i == 0 ? r->right[0] : r->left[1];
      if (got == 0) {
        CHECK_OK(shutdown(to, SHUT_WR));
        p[i].fd = -1;
        open--;
      } else {
        write_all(to, buffer, (size_t)got);
      }
    }
    CHECK_EQ(seen, ready);
  }
  return NULL;
}

static void* server(void* argument) {
  struct relay* r = argument;
  int number, expected = 0;
  while (read_all(r->right[1], &number, sizeof number) == sizeof number) {
    CHECK_EQ(number, expected++);
    number *= 3;
    write_all(r->right[1], &number, sizeof number);
  }
  CHECK_EQ(expected, messages);
  CHECK_OK(shutdown(r->right[1], SHUT_WR));
  return NULL;
}

static void* client(void* argument) {
  struct relay* r = argument;
  for (int i = 0; i < messages; i++) {
    int answer;
    write_all(r->left[0], &i, sizeof i);
    CHECK_EQ(read_all(r->left[0], &answer, sizeof answer), sizeof answer);
    CHECK_EQ(answer, 3 * i);
  }
  CHECK_OK(shutdown(r->left[0], SHUT_WR));
  char byte;
  CHECK_EQ(read(r->left[0], &byte, 1), 0);
  return NULL;
}

int main(int argc, char** argv) {
  relays = arg_or(argc, argv, 1, 200);
  messages = arg_or(argc, argv, 2, 30);
  struct relay* all = calloc((size_t)relays, sizeof *all);
  pthread_t* threads = calloc((size_t)relays * 3, sizeof *threads);
  for (int i = 0; i < relays; i++) {
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, all[i].left));
    if (i % 2)
      CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, all[i].right));
    else
      tcp_pair(all[i].right);
    threads[3 * i] = spawn(relay, &all[i]);
    threads[3 * i + 1] = spawn(server, &all[i]);
    threads[3 * i + 2] = spawn(client, &all[i]);
  }
  for (int i = 0; i < relays * 3; i++) join(threads[i]);
  free(threads);
  free(all);
  printf("%d messages through %d relays\n", relays * messages, relays);
}
