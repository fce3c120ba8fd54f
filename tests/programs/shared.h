// Memory and mutexes that processes share, and another process of the same program that runs
// without the library.
#pragma once
#include "check.h"

#include <sys/mman.h>
#include <sys/wait.h>

// fd: of a file that has the size already; -1: nobody's, for children.
static inline void* map_shared(int fd, size_t size) {
  int flags = fd < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED;
  void* memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
  CHECK(memory != MAP_FAILED);
  return memory;
}

static inline void init_shared_mutex(pthread_mutex_t* mutex, int type, int robust, int protocol) {
  pthread_mutexattr_t attr;
  CHECK_OK(pthread_mutexattr_init(&attr));
  CHECK_OK(pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED));
  CHECK_OK(pthread_mutexattr_settype(&attr, type));
  CHECK_OK(pthread_mutexattr_setrobust(&attr, robust));
  CHECK_OK(pthread_mutexattr_setprotocol(&attr, protocol));
  CHECK_OK(pthread_mutex_init(mutex, &attr));
  CHECK_OK(pthread_mutexattr_destroy(&attr));
}

// Children that must end with status 7.
static inline void join_children(const pid_t* children, int count) {
  for (int i = 0; i < count; i++) {
    int status;
    CHECK_EQ(waitpid(children[i], &status, 0), children[i]);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
  }
}

// The memory that the program shares with the process that start_native made of it.
static inline void* map_shared_with_native(int argc, char** argv, size_t size, int* fd) {
  *fd = argc > 1 ? atoi(argv[1]) : memfd_create("shared", 0);
  CHECK_OK(ftruncate(*fd, (off_t)size));
  return map_shared(*fd, size);
}

static inline pid_t start_native(char** argv, int fd) {
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    char number[12];
    snprintf(number, sizeof number, "%d", fd);
    unsetenv("LD_PRELOAD");
    execl("/proc/self/exe", argv[0], number, NULL);
    _exit(1);
  }
  return child;
}
