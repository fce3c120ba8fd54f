// A thread's directory in /proc/self/task, by the number that gettid gives: runtimes read the name
// and the status there. The directory lists the threads that there are, as often as it is read.
#include "check.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

static void read_file(const char* format, char* text, int size) {
  char path[64];
  snprintf(path, sizeof path, format, (int)gettid());
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  CHECK(fd >= 0);
  ssize_t n = read(fd, text, (size_t)size - 1);
  CHECK(n > 0);
  text[n] = 0;
  CHECK_OK(close(fd));
}

enum { WAITERS = 1500 };  // More than one read of the directory holds.
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static int numbers[WAITERS], ready;

static void* waits(void* index) {
  numbers[(intptr_t)index] = gettid();
  __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
  CHECK_OK(pthread_mutex_lock(&held));
  CHECK_OK(pthread_mutex_unlock(&held));
  return NULL;
}

// How often each number stands in the list; returns how many there are.
static int list(DIR* dir, int number, int* seen) {
  int count = 0;
  *seen = 0;
  for (struct dirent* e; (e = readdir(dir));) {
    if (e->d_name[0] == '.') continue;
    CHECK(atoi(e->d_name) > 0);
    *seen += atoi(e->d_name) == number;
    count++;
  }
  return count;
}

static void listed(void) {
  pthread_t threads[WAITERS];
  pthread_attr_t attr;
  CHECK_OK(pthread_attr_init(&attr));
  CHECK_OK(pthread_attr_setstacksize(&attr, 65536));
  DIR* dir = opendir("/proc/self/task");
  CHECK(dir);
  int seen;
  CHECK_EQ(list(dir, getpid(), &seen), 1);
  CHECK_EQ(seen, 1);
  CHECK_OK(pthread_mutex_lock(&held));
  for (intptr_t i = 0; i < WAITERS; i++)
    CHECK_OK(pthread_create(&threads[i], &attr, waits, (void*)i));
  AWAIT(__atomic_load_n(&ready, __ATOMIC_SEQ_CST) == WAITERS);
  for (int i = 0; i < WAITERS; i += 300) {
    rewinddir(dir);
    CHECK_EQ(list(dir, numbers[i], &seen), WAITERS + 1);
    CHECK_EQ(seen, 1);
  }
  char path[32];
  snprintf(path, sizeof path, "%d/comm", numbers[7]);
  int fd = openat(dirfd(dir), path, O_RDONLY);
  CHECK(fd >= 0);
  CHECK_OK(close(fd));
  CHECK_OK(pthread_mutex_unlock(&held));
  for (int i = 0; i < WAITERS; i++) join(threads[i]);
  // A joined thread's number may be seen for a moment yet, natively.
  do rewinddir(dir);
  while (list(dir, getpid(), &seen) != 1);
  CHECK_OK(closedir(dir));
}

static void* body(void* index) {
  char name[16], text[4096];
  snprintf(name, sizeof name, "reader-%d", (int)(intptr_t)index);
  CHECK_OK(pthread_setname_np(pthread_self(), name));
  sched_yield();
  read_file("/proc/self/task/%d/comm", text, sizeof text);
  CHECK_EQ(text[strlen(text) - 1], '\n');
  text[strlen(text) - 1] = 0;
  CHECK(strcmp(text, name) == 0);
  read_file("/proc/self/task/%d/status", text, sizeof text);
  CHECK(strstr(text, "\nVmRSS:") != NULL);
  read_file("/proc/self/task/%d/stat", text, sizeof text);
  return NULL;
}

int main(void) {
  pthread_t threads[10];
  for (intptr_t i = 0; i < 10; i++) threads[i] = spawn(body, (void*)i);
  for (int i = 0; i < 10; i++) join(threads[i]);
  CHECK_EQ(open("/proc/self/task/999999999/comm", O_RDONLY), -1);
  listed();
  printf("10 names read\n");
}
