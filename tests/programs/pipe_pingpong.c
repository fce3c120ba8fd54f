// Pairs of threads bounce numbered messages over pipes, socketpairs and TCP, and all see EOF.
#include "net.h"

enum { PAIRS = 6 };
static int rounds;
struct pair {
  int here[2], there[2];  // Read end, write end.
};

static void* server(void* argument) {
  struct pair* pair = argument;
  int number, expected = 0;
  size_t got;
  while ((got = read_all(pair->there[0], &number, sizeof number)) == sizeof number) {
    CHECK_EQ(number, expected++);
    number = -number;
    write_all(pair->there[1], &number, sizeof number);
  }
  CHECK_EQ(got, 0);
  CHECK_EQ(expected, rounds);
  CHECK_OK(close(pair->there[1]));
  if (pair->there[0] != pair->there[1]) CHECK_OK(close(pair->there[0]));
  return NULL;
}

static void* client(void* argument) {
  struct pair* pair = argument;
  for (int i = 0; i < rounds; i++) {
    int answer;
    write_all(pair->here[1], &i, sizeof i);
    CHECK_EQ(read_all(pair->here[0], &answer, sizeof answer), sizeof answer);
    CHECK_EQ(answer, -i);
  }
  if (pair->here[0] == pair->here[1])
    CHECK_OK(shutdown(pair->here[1], SHUT_WR));
  else
    CHECK_OK(close(pair->here[1]));
  char byte;
  CHECK_EQ(read(pair->here[0], &byte, 1), 0);
  CHECK_OK(close(pair->here[0]));
  return NULL;
}

int main(int argc, char** argv) {
  rounds = arg_or(argc, argv, 1, 2000);
  struct pair pairs[PAIRS];
  pthread_t threads[2 * PAIRS];
  for (int i = 0; i < PAIRS; i++) {
    struct pair* p = &pairs[i];
    if (i % 3 == 0) {
      int there[2], back[2];
      CHECK_OK(pipe(there));
      CHECK_OK(pipe(back));
      *p = (struct pair){{back[0], there[1]}, {there[0], back[1]}};
    } else {
      int ends[2];
      if (i % 3 == 1)
        CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
      else
        tcp_pair(ends);
      int on = 1;
      if (i % 3 == 2) CHECK_OK(setsockopt(ends[0], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
      *p = (struct pair){{ends[0], ends[0]}, {ends[1], ends[1]}};
    }
    threads[2 * i] = spawn(server, p);
    threads[2 * i + 1] = spawn(client, p);
  }
  for (int i = 0; i < 2 * PAIRS; i++) join(threads[i]);
  printf("%d round trips\n", PAIRS * rounds);
}
