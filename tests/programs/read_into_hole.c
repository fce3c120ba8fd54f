// A read whose buffer ends in a page that cannot be written takes what fits, or fails; what it
// leaves is there for the next read.
#include "check.h"

#include <sys/mman.h>
#include <sys/socket.h>

enum { PAGE = 4096, HEAD = 100, REST = 6000 };
static int ends[2];

static void* reads(void* name) {
  static char all[HEAD + REST];
  for (int protection = 0; protection < 2; protection++) {
    char* hole = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(hole != MAP_FAILED);
    CHECK_OK(mprotect(hole + PAGE, PAGE, protection ? PROT_READ : PROT_NONE));
    ssize_t took = 0;
    // Twice, as the first read of a descriptor makes it known.
    for (int round = 0; round < 2; round++) {
      took = 0;
      while (took < HEAD + REST) {
        ssize_t n = read(ends[0], hole, 2 * PAGE);
        if (n < 0) {
          CHECK(errno == EFAULT);
          n = read(ends[0], all, sizeof all);
        }
        CHECK(n > 0);
        took += n;
      }
      CHECK(took == HEAD + REST);
      char byte = 'n';
      CHECK(write(ends[0], &byte, 1) == 1 || errno == EBADF);
    }
    CHECK_OK(munmap(hole, 2 * PAGE));
  }
  printf("%s: all was read\n", (const char*)name);
  return NULL;
}

static void try_one(const char* name, int out, int back) {
  pthread_t reader = spawn(reads, (void*)name);
  char bytes[REST] = {0};
  for (int round = 0; round < 4; round++) {
    sleep_ms(20);  // it waits
    CHECK(write(out, bytes, HEAD) == HEAD);
    CHECK(write(out, bytes, REST) == REST);
    char byte;
    if (back >= 0)
      CHECK(read(back, &byte, 1) == 1);
    else
      sleep_ms(50);
  }
  join(reader);
  CHECK_OK(close(ends[0]));
  CHECK_OK(close(ends[1]));
}

int main(void) {
  alarm(20);
  CHECK_OK(pipe(ends));
  try_one("pipe", ends[1], -1);
  CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
  try_one("socketpair", ends[1], ends[1]);
  return 0;
}
