// A thread whose page comes late (the kernel waits for a handler in another process, 30 ms a page)
// does not hold up the others: they have their turns meanwhile, however many pages it needs.
#include "check.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { PAGES = 12, PAGE = 4096, STALL_MS = 30 };
static volatile int done;

// In a process of its own, so that no scheduler of ours has a part in it.
static void serve(int uffd) {
  static _Alignas(PAGE) char page[PAGE];
  struct uffd_msg message;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  while (read(uffd, &message, sizeof message) == sizeof message) {
    usleep(STALL_MS * 1000);
    memset(page, 'p', sizeof page);
    struct uffdio_copy copy = {.dst = message.arg.pagefault.address & ~(uint64_t)(PAGE - 1),
                               .src = (uintptr_t)page,
                               .len = PAGE};
    if (ioctl(uffd, UFFDIO_COPY, &copy) != 0) _exit(1);
  }
  _exit(1);
}

static void* toucher(void* argument) {
  const char* memory = argument;
  for (int i = 0; i < PAGES; i++) CHECK_EQ(memory[i * PAGE], 'p');
  done = 1;
  return NULL;
}

static int ascending(const void* a, const void* b) {
  int64_t x = *(const int64_t*)a, y = *(const int64_t*)b;
  return x < y ? -1 : x > y;
}

int main(int argc, char** argv) {
  static int64_t gaps[PAGES];
  char* memory = mmap(NULL, PAGES * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  int uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
  CHECK(memory != MAP_FAILED && uffd >= 0);
  struct uffdio_api api = {.api = UFFD_API};
  CHECK_OK(ioctl(uffd, UFFDIO_API, &api));
  struct uffdio_register range = {.range = {(uintptr_t)memory, PAGES * PAGE},
                                  .mode = UFFDIO_REGISTER_MODE_MISSING};
  CHECK_OK(ioctl(uffd, UFFDIO_REGISTER, &range));
  pid_t server = fork();
  if (server == 0) serve(uffd);
  int64_t begin = now_ns(CLOCK_MONOTONIC), last = begin;
  pthread_t thread = spawn(toucher, memory);
  // The longest time without a turn in each stall's length.
  int n = 0, turns = 0;
  while (!done) {
    usleep(200);
    turns++;
    int64_t now = now_ns(CLOCK_MONOTONIC);
    if (n < PAGES && now - last > gaps[n]) gaps[n] = now - last;
    last = now;
    n = (int)((now - begin) / (STALL_MS * MS));
  }
  join(thread);
  CHECK(now_ns(CLOCK_MONOTONIC) - begin >= PAGES * STALL_MS * MS);
  qsort(gaps, PAGES, sizeof *gaps, ascending);
  if (argc > 1)
    dprintf(2, "median %lld us, worst %lld us\n", (long long)gaps[PAGES / 2] / 1000,
            (long long)gaps[PAGES - 1] / 1000);
  // Held up, it has one or two in each stall; natively and here about a hundred.
  CHECK(turns >= 5 * PAGES);
  CHECK_EQ(waitpid(server, NULL, WNOHANG), 0);
  CHECK_OK(kill(server, SIGKILL));
  CHECK_EQ(waitpid(server, NULL, 0), server);
  puts("nobody waited for the pages");
}
