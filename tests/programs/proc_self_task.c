// A thread's directory in /proc/self/task, by the number that gettid gives: runtimes read the name
// and the status there.
#include "check.h"

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
  printf("10 names read\n");
}
