// A name that is not there and a directory's entries, in memory that another thread takes away and
// gives back meanwhile: the calls fail with EFAULT or do their work, and nothing else happens.
#include "check.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { kCalls = 30000 };
static char* page;
static volatile int done;

static void* take_and_give(void* arg) {
  while (!done) {
    CHECK_OK(mprotect(page, 4096, PROT_NONE));
    CHECK_OK(mprotect(page, 4096, PROT_READ | PROT_WRITE));
  }
  return NULL;
}

static void* call(void* arg) {
  for (int i = 0; i < kCalls; i++) {
    int fd = open(i % 2 ? page : page + 8, O_RDONLY);
    CHECK(fd == -1 && (errno == ENOENT || errno == EFAULT));
    int directory = open(".", O_RDONLY | O_DIRECTORY);
    CHECK(directory >= 0);
    long got = getdents64(directory, page + 64, 2048);
    CHECK(got >= 24 || (got == -1 && errno == EFAULT));  // at least "."
    CHECK_OK(close(directory));
  }
  done = 1;
  return NULL;
}

int main(void) {
  CHECK_OK(mkdir("entry", 0700));
  page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(page != MAP_FAILED);
  strcpy(page, "missing");
  strcpy(page + 8, "/p-missing");
  pthread_t taker = spawn(take_and_give, NULL), caller = spawn(call, NULL);
  join(caller);
  join(taker);
  printf("done\n");
}
