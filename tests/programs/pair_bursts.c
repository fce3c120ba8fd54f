// After many turns of one byte, for which a runtime may have learned that nothing is there yet when
// a read begins, come bursts, taken byte by byte, a partner that computes first, the end, and
// another file under the reader's number.
#include "net.h"

#include <fcntl.h>

enum { kTurns = 40, kBursts = 200 };

struct ends {
  int in, out;
};

static void compute(int us) {
  for (int64_t end = now_ns(CLOCK_MONOTONIC) + us * 1000; now_ns(CLOCK_MONOTONIC) < end;) continue;
}

static int burst(int i) { return i < kTurns ? 1 : 1 + i * 7 % 5; }

// Answers the last byte of each burst.
static void* answer(void* argument) {
  const struct ends* e = argument;
  char byte;
  for (int i = 0; i < kTurns + kBursts; i++) {
    for (int left = burst(i); left; left--) {
      CHECK_EQ(read(e->in, &byte, 1), 1);
      CHECK_EQ(byte, (char)(i + left));
    }
    if (i % 50 == 49) compute(500);
    write_all(e->out, &byte, 1);
  }
  CHECK_OK(close(e->out));
  CHECK_EQ(read(e->in, &byte, 1), 0);
  return NULL;
}

static void play(struct ends here, struct ends there) {
  pthread_t partner = spawn(answer, &there);
  char bytes[8], byte;
  for (int i = 0; i < kTurns + kBursts; i++) {
    const int size = burst(i);
    for (int k = 0; k < size; k++) bytes[k] = (char)(i + size - k);
    write_all(here.out, bytes, (size_t)size);
    CHECK_EQ(read(here.in, &byte, 1), 1);
    CHECK_EQ(byte, (char)(i + 1));
  }
  CHECK_EQ(read(here.in, &byte, 1), 0);
  CHECK_OK(close(here.out));
  join(partner);
}

static void* echo(void* argument) {
  const int fd = *(const int*)argument;
  char byte;
  while (read(fd, &byte, 1) == 1) write_all(fd, &byte, 1);
  CHECK_EQ(read(fd, &byte, 1), 0);
  return NULL;
}

// A common way to stop a reader, which may be about to try.
static void stop(void) {
  int pair[2], null = open("/dev/null", O_RDWR);
  CHECK(null >= 0);
  CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  pthread_t reader = spawn(echo, &pair[0]);
  char byte = 1;
  for (int i = 0; i < kTurns; i++) {
    write_all(pair[1], &byte, 1);
    CHECK_EQ(read(pair[1], &byte, 1), 1);
  }
  CHECK_OK(shutdown(pair[0], SHUT_RDWR));
  CHECK_EQ(dup2(null, pair[0]), pair[0]);
  join(reader);
}

int main(void) {
  int there[2], back[2], pairs[2][2];
  CHECK_OK(pipe(there));
  CHECK_OK(pipe(back));
  play((struct ends){back[0], there[1]}, (struct ends){there[0], back[1]});
  for (int i = 0; i < 2; i++) CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]));
  play((struct ends){pairs[0][0], pairs[1][0]}, (struct ends){pairs[1][1], pairs[0][1]});
  stop();
  puts("played");
}
