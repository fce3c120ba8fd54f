// Overflows the stack of main, or of a thread with the given kind of stack, in a function or right
// before a system call.
//   overflow_note main|thread|c11|own compute|call
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <threads.h>
#include <unistd.h>

enum { kStack = 256 * 1024 };

static volatile int sink;
static int calls;

static int recurse(int depth) {
  volatile char frame[256];
  frame[depth % 256] = (char)depth;
  if (calls) usleep(0);
  if (depth >= 0) sink += recurse(depth + 1);
  return frame[depth % 256];
}

static void* named(void* unused) {
  pthread_setname_np(pthread_self(), "deep\033one");
  recurse(0);
  return unused;
}

static int c11(void* unused) { return named(unused) != NULL; }

static void* nothing(void* unused) { return unused; }

int main(int argc, char** argv) {
  const char* kind = argc > 1 ? argv[1] : "";
  calls = argc > 2 && strcmp(argv[2], "call") == 0;
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  pthread_t thread;
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, kStack);
  if (strcmp(kind, "own") == 0) {
    char* memory = mmap(NULL, 4096 + kStack, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(memory + 4096, kStack, PROT_READ | PROT_WRITE);
    pthread_attr_setstack(&attr, memory + 4096, kStack);
  }
  if (strcmp(kind, "c11") == 0) {
    thrd_t other;
    thrd_create(&other, c11, NULL);
    thrd_join(other, NULL);
  } else if (strcmp(kind, "main") == 0) {
    pthread_create(&thread, NULL, nothing, NULL);
    pthread_join(thread, NULL);
    recurse(0);
  } else {
    pthread_create(&thread, &attr, named, NULL);
    pthread_join(thread, NULL);
  }
  return 1;
}
