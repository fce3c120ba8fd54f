// A thread reads lines from a terminal that another types into: canonical mode, echo, end of file,
// hang-up.
#include "check.h"

#include <fcntl.h>
#include <termios.h>

static int master, slave;

static void* reader(void* unused) {
  char line[64];
  for (int i = 0; i < 20; i++) {
    char want[64];
    int size = snprintf(want, sizeof want, "line %d\n", i);
    CHECK_EQ(read(slave, line, sizeof line), size);
    CHECK(memcmp(line, want, (size_t)size) == 0);
  }
  CHECK_EQ(read(slave, line, sizeof line), 0);  // Control-D.
  CHECK_EQ(write(slave, "bye", 3), 3);
  CHECK_OK(close(slave));
  return unused;
}

int main(void) {
  master = posix_openpt(O_RDWR | O_NOCTTY);
  CHECK(master >= 0);
  CHECK_OK(grantpt(master));
  CHECK_OK(unlockpt(master));
  slave = open(ptsname(master), O_RDWR | O_NOCTTY);
  CHECK(slave >= 0);
  struct termios mode;
  CHECK_OK(tcgetattr(slave, &mode));
  mode.c_lflag &= ~(tcflag_t)ECHO;
  mode.c_lflag |= ICANON;
  CHECK_OK(tcsetattr(slave, TCSANOW, &mode));
  pthread_t thread = spawn(reader, NULL);
  for (int i = 0; i < 20; i++) {
    char line[64];
    int size = snprintf(line, sizeof line, "line %d\n", i);
    for (int n = 0; n < size; n++) {
      CHECK_EQ(write(master, line + n, 1), 1);
      if (i % 4 == 0) sched_yield();
    }
  }
  CHECK_EQ(write(master, "\004", 1), 1);
  char answer[8];
  CHECK_EQ(read(master, answer, sizeof answer), 3);
  CHECK(memcmp(answer, "bye", 3) == 0);
  CHECK_ERRNO(read(master, answer, 1), EIO);
  join(thread);
  printf("20 lines\n");
}
