// What the kernel answers to wrong futex calls, asked from several threads at once.
#include "futex.h"

#include <sys/mman.h>

static uint32_t word = 4;

static void* body(void* unused) {
  CHECK_ERRNO(futex_wait(&word, 5), EAGAIN);
  CHECK_ERRNO(futex(&word, FUTEX_WAIT, 5, NULL, NULL, 0), EAGAIN);
  CHECK_ERRNO(futex_wait((char*)&word + 1, 4), EINVAL);
  CHECK_ERRNO(futex_wake((char*)&word + 2, 1), EINVAL);
  CHECK_ERRNO(futex_wait((void*)8, 4), EFAULT);
  CHECK_ERRNO(futex(&word, 125, 0, NULL, NULL, 0), ENOSYS);
  CHECK_ERRNO(futex(&word, FUTEX_WAIT_PRIVATE, 4, (void*)8, NULL, 0), EFAULT);
  uint32_t* gone = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK_OK(mprotect(gone, 4096, PROT_NONE));
  CHECK_ERRNO(futex_wait(gone, 0), EFAULT);
  CHECK_ERRNO(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void*)1, gone, 3), EAGAIN);
  CHECK_ERRNO(futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, (void*)1, gone, 0), EFAULT);
  CHECK_OK(munmap(gone, 4096));
  CHECK_EQ(futex_wake((void*)gone, 1), 0);  // A private wake does not touch the memory.
  return unused;
}

int main(void) {
  pthread_t threads[6];
  for (int i = 0; i < 6; i++) threads[i] = spawn(body, NULL);
  for (int i = 0; i < 6; i++) join(threads[i]);
  CHECK_EQ(word, 4);
  printf("refused as the kernel does\n");
}
