// A thread sleeps with addresses on its stack that look like a caller's and whose call leads to
// where nothing is mapped, while others compute. Who wakes it up, and tells the time that it was
// blocked by place, follows them.
#include "check.h"

#include <sys/syscall.h>

enum { kSpinners = 8, kSleeps = 60, kWords = 64 };

extern const char behind_call[];
__asm__(".pushsection .text\n .byte 0xe8\n .long 0x6f000000\nbehind_call: ret\n.popsection");

static volatile int stop;

static void* compute(void* arg) {
  while (!stop) continue;
  return arg;
}

// The call itself, so that no frame of libc's is between it and the addresses.
static long sleep_over(const char* const* words, const struct timespec* time) {
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "0"(SYS_nanosleep), "D"(time), "S"(NULL), "r"(words)
                   : "rcx", "r11", "memory");
  return result;
}

int main(void) {
  pthread_t threads[kSpinners];
  const char* words[kWords];
  for (int i = 0; i < kWords; i++) words[i] = behind_call;
  for (int i = 0; i < kSpinners; i++) CHECK_OK(pthread_create(&threads[i], NULL, compute, NULL));
  for (int i = 0; i < kSleeps; i++) CHECK(sleep_over(words, &(struct timespec){0, 3000000}) == 0);
  stop = 1;
  for (int i = 0; i < kSpinners; i++) CHECK_OK(pthread_join(threads[i], NULL));
  return 0;
}
