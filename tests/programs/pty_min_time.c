// Reads of a terminal without lines: MIN and TIME (termios(3)) say when they end, be it without a
// byte, while another thread goes on.
#include "check.h"

#include <pty.h>
#include <sys/uio.h>
#include <termios.h>

static int master, slave;
static volatile int stop;
static volatile long count;

static void* counts(void* unused) {
  while (!stop) {
    count++;
    sleep_ms(1);
  }
  return unused;
}

static void set(int min, int tenths) {
  struct termios t;
  CHECK_OK(tcgetattr(slave, &t));
  cfmakeraw(&t);
  t.c_cc[VMIN] = (cc_t)min;
  t.c_cc[VTIME] = (cc_t)tenths;
  CHECK_OK(tcsetattr(slave, TCSANOW, &t));
}

static void* types_late(void* text) {
  sleep_ms(50);
  CHECK_EQ(write(master, text, strlen(text)), (ssize_t)strlen(text));
  return NULL;
}

// What a read of `room` bytes gives; typed: what comes while it waits.
static long reads(size_t room, char* typed) {
  char bytes[16];
  pthread_t thread;
  if (typed) thread = spawn(types_late, typed);
  long got = read(slave, bytes, room);
  if (typed) join(thread);
  CHECK_OK(tcflush(slave, TCIFLUSH));
  return got;
}

static void* body(void* unused) {
  set(0, 0);
  CHECK_EQ(reads(16, NULL), 0);
  set(0, 2);
  int64_t start = now_ns(CLOCK_MONOTONIC);
  long before = count;
  CHECK_EQ(reads(16, NULL), 0);
  CHECK(now_ns(CLOCK_MONOTONIC) - start >= 150 * MS);  // in units of a tick
  CHECK(count > before);
  char bytes[2];
  struct iovec vector[2] = {{bytes, 1}, {bytes + 1, 1}};
  CHECK_EQ(readv(slave, vector, 2), 0);
  set(0, 250);
  CHECK_EQ(reads(16, "a"), 1);
  set(3, 0);
  CHECK_EQ(reads(1, "a"), 1);  // fewer than MIN are asked for
  CHECK_EQ(reads(16, "abc"), 3);
  set(3, 1);
  CHECK_EQ(reads(16, "ab"), 2);
  set(1, 0);
  CHECK_EQ(reads(16, "a"), 1);
  return unused;
}

int main(void) {
  CHECK_OK(openpty(&master, &slave, NULL, NULL, NULL));
  pthread_t counter = spawn(counts, NULL);
  join(spawn(body, NULL));
  stop = 1;
  join(counter);
  puts("ended as told");
}
