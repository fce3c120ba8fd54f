// A thread that ends with a robust list (set_robust_list(2)) that names a word which cannot be
// read: the list counts up to there.
#include "check.h"

#include <linux/futex.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>

struct lock {
  struct robust_list list;
  uint32_t word;
};

static struct robust_list_head head = {.futex_offset = offsetof(struct lock, word)};
static struct lock good[2];

static void* body(void* page) {
  // Its link can be read, its word is in the page behind.
  struct lock* broken = (struct lock*)((char*)page + 4096 - offsetof(struct lock, word));
  for (int i = 0; i < 2; i++) good[i].word = (uint32_t)gettid();
  head.list.next = &good[0].list;
  good[0].list.next = &broken->list;
  broken->list.next = &good[1].list;
  good[1].list.next = &head.list;
  CHECK_OK(syscall(SYS_set_robust_list, &head, sizeof head));
  return NULL;
}

int main(void) {
  char* page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(page != MAP_FAILED);
  CHECK_OK(mprotect(page + 4096, 4096, PROT_NONE));
  for (int i = 0; i < 100; i++) {
    join(spawn(body, page));
    if (!(good[0].word & FUTEX_OWNER_DIED)) CHECK_FAIL("%x before the broken one", good[0].word);
    if (good[1].word & FUTEX_OWNER_DIED) CHECK_FAIL("%x behind the broken one", good[1].word);
  }
  puts("100 broken lists");
}
