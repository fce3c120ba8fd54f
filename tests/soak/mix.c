// What goes on beside the traffic.
#include "soak.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>

extern char** environ;

void* compute(void* unused) {
  enum { BLOCKS = 64 };
  unsigned char* blocks[BLOCKS] = {0};
  size_t sizes[BLOCKS] = {0};
  unsigned seed = (unsigned)(uintptr_t)&blocks;
  while (!stopping) {
    unsigned at = (seed = seed * 1664525 + 1013904223) >> 26;
    for (size_t i = 0; i < sizes[at]; i++) CHECK_EQ(blocks[at][i], (unsigned char)(at + sizes[at]));
    free(blocks[at]);
    sizes[at] = 1 + (seed >> 8) % 20000;
    blocks[at] = malloc(sizes[at]);
    memset(blocks[at], (int)(at + sizes[at]), sizes[at]);
  }
  for (int i = 0; i < BLOCKS; i++) free(blocks[i]);
  return unused;
}

void* lock_file(void* unused) {
  int fd = open("counter", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  while (!stopping) {
    long value = 0, again = 0;
    CHECK_OK(flock(fd, LOCK_EX));
    CHECK(pread(fd, &value, sizeof value, 0) >= 0);
    value++;
    CHECK_EQ(pwrite(fd, &value, sizeof value, 0), sizeof value);
    sleep_ms(1);
    CHECK_EQ(pread(fd, &again, sizeof again, 0), sizeof again);
    CHECK_EQ(again, value);
    CHECK_OK(flock(fd, LOCK_UN));
  }
  CHECK_OK(close(fd));
  return unused;
}

void* fault_pages(void* unused) {
  enum { SIZE = 1 << 20, PAGE = 4096 };
  static char page[PAGE];
  int fd = open("pages", O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
  for (int i = 0; i < SIZE / PAGE; i++) {
    memset(page, i, sizeof page);
    CHECK_EQ(write(fd, page, sizeof page), PAGE);
  }
  while (!stopping) {
    CHECK_OK(fsync(fd));
    CHECK_OK(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
    const volatile char* bytes = mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
    CHECK(bytes != MAP_FAILED);
    for (int i = 0; i < SIZE / PAGE; i++) CHECK_EQ(bytes[i * PAGE + i], (char)i);
    CHECK_OK(munmap((void*)(uintptr_t)bytes, SIZE));
    sleep_ms(20);
  }
  CHECK_OK(close(fd));
  return unused;
}

void* make_children(void* unused) {
  while (!stopping) {
    char* argv[] = {"/bin/true", NULL};
    int status;
    pid_t child = fork();
    if (child == 0) _exit(7);
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(WEXITSTATUS(status), 7);
    CHECK_OK(posix_spawn(&child, argv[0], NULL, NULL, argv, environ));
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    sleep_ms(20);
  }
  return unused;
}

static void* wait_for_ever(void* fd) {
  char byte;
  CHECK_EQ(read((int)(intptr_t)fd, &byte, 1), 1);
  return NULL;
}

void* cancel_threads(void* unused) {
  int fds[2];
  CHECK_OK(pipe2(fds, O_CLOEXEC));
  while (!stopping) {
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) threads[i] = spawn(wait_for_ever, (void*)(intptr_t)fds[0]);
    for (int i = 0; i < 8; i++) CHECK_OK(pthread_cancel(threads[i]));
    for (int i = 0; i < 8; i++) CHECK(join(threads[i]) == PTHREAD_CANCELED);
    sleep_ms(5);
  }
  CHECK_OK(close(fds[0]));
  CHECK_OK(close(fds[1]));
  return unused;
}

void* load_library(void* unused) {
  while (!stopping) {
    void* library = dlopen("libnss_dns.so.2", RTLD_NOW | RTLD_LOCAL);
    if (!library) library = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL);
    CHECK(library);
    CHECK_OK(dlclose(library));
    sleep_ms(10);
  }
  return unused;
}

static int handled[2];
static void on_signal(int signal) {
  __atomic_add_fetch(&handled[signal == SIGUSR2], 1, __ATOMIC_SEQ_CST);
}

void prepare_signals(void) {
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  CHECK_OK(sigaction(SIGUSR1, &action, NULL));
  CHECK_OK(sigaction(SIGUSR2, &action, NULL));
}

// One at a time, as equal signals that pend together become one.
void* send_signals(void* unused) {
  while (!stopping) {
    int seen[2] = {handled[0], handled[1]};
    CHECK_OK(kill(getpid(), SIGUSR1));
    CHECK_OK(pthread_kill(pthread_self(), SIGUSR2));
    AWAIT(__atomic_load_n(&handled[0], __ATOMIC_SEQ_CST) == seen[0] + 1);
    AWAIT(__atomic_load_n(&handled[1], __ATOMIC_SEQ_CST) == seen[1] + 1);
    sleep_ms(2);
  }
  return unused;
}
