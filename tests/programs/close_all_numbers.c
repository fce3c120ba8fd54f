// Every descriptor above 2 is closed, in the ways that daemons do it, whatever they belong to:
// those of a runtime beneath the program, too. Waits, time and new descriptors go on as before.
#include "net.h"

#include <dirent.h>
#include <sys/resource.h>

static int fds[2];

static void* reads(void* unused) {
  char byte = 0;
  struct pollfd p = {fds[0], POLLIN, 0};
  CHECK_EQ(poll(&p, 1, 20000), 1);
  CHECK_EQ(read(fds[0], &byte, 1), 1);
  return (void*)(long)byte;
}

static void* sleeps(void* unused) {
  sleep_ms(20);
  return unused;
}

static void close_each_listed(void) {
  DIR* directory = opendir("/proc/self/fd");
  CHECK(directory != NULL);
  static int numbers[4096];
  int count = 0;
  for (struct dirent* e; (e = readdir(directory)) != NULL && count < 4096;)
    if (atoi(e->d_name) > 2 && atoi(e->d_name) != dirfd(directory))
      numbers[count++] = atoi(e->d_name);
  closedir(directory);
  while (count > 0) close(numbers[--count]);
}

static void close_each(void) {
  struct rlimit limit;
  CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
  for (int fd = 3; fd < (int)limit.rlim_cur && fd < 5000; fd++) close(fd);
}

int main(void) {
  for (int way = 0; way < 6; way++) {
    pthread_t sleeper = spawn(sleeps, NULL);
    if (way % 3 == 0) CHECK_OK(close_range(3, ~0U, 0));
    if (way % 3 == 1) close_each_listed();
    if (way % 3 == 2) close_each();
    CHECK_OK(way % 2 ? socketpair(AF_UNIX, SOCK_STREAM, 0, fds) : pipe(fds));
    CHECK_EQ(fds[0], 3);
    CHECK_EQ(fds[1], 4);
    pthread_t reader = spawn(reads, NULL);
    sleep_ms(10);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK_EQ((long)join(reader), 'x');
    join(sleeper);
    CHECK_OK(close(fds[0]));
    CHECK_OK(close(fds[1]));
  }
  printf("6 times\n");
}
