// PR_GET_TID_ADDRESS tells the word that a thread's own end clears; putting it back as it was
// leaves the thread joinable.
#include "check.h"

#include <sys/prctl.h>
#include <sys/syscall.h>

static void* body(void* unused) {
  int* word = NULL;
  if (prctl(PR_GET_TID_ADDRESS, &word) != 0) return unused;  // not in this kernel
  CHECK_EQ(*word, gettid());
  CHECK_EQ(syscall(SYS_set_tid_address, NULL), gettid());
  int* none = word;
  CHECK_OK(prctl(PR_GET_TID_ADDRESS, &none));
  CHECK(none == NULL);
  CHECK_EQ(syscall(SYS_set_tid_address, word), gettid());
  return unused;
}

int main(void) {
  for (int i = 0; i < 20; i++) {
    pthread_t threads[4];
    for (int k = 0; k < 4; k++) threads[k] = spawn(body, NULL);
    for (int k = 0; k < 4; k++) join(threads[k]);
  }
  body(NULL);
  puts("joined");
}
