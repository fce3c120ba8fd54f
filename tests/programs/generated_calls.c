// System calls in code that the program makes while it runs: they know the thread, wait, are
// interrupted, wake others, make processes.
#include "check.h"

#include <linux/futex.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

typedef long (*call_fn)(long nr, long a, long b, long c, long d);
static call_fn call;
static long (*call_vfork)(void);
static uint32_t word;
static int fds[2], handled;

static void* executable(const unsigned char* code, size_t size) {
  void* page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(page != MAP_FAILED);
  memcpy(page, code, size);
  CHECK_OK(mprotect(page, 4096, PROT_READ | PROT_EXEC));
  return page;
}

static void generate(void) {
  static const unsigned char five[] = {
      0x48, 0x89, 0xf8,  // mov %rdi,%rax
      0x48, 0x89, 0xf7,  // mov %rsi,%rdi
      0x48, 0x89, 0xd6,  // mov %rdx,%rsi
      0x48, 0x89, 0xca,  // mov %rcx,%rdx
      0x4d, 0x89, 0xc2,  // mov %r8,%r10
      0x45, 0x31, 0xc0,  // xor %r8d,%r8d
      0x45, 0x31, 0xc9,  // xor %r9d,%r9d
      0x0f, 0x05, 0xc3,  // syscall; ret
  };
  // The child's return uses the parent's stack: the return address waits in a register.
  static const unsigned char fork_here[] = {
      0x5a,                            // pop %rdx
      0xb8, SYS_vfork, 0,    0,    0,  // mov $SYS_vfork,%eax
      0x0f, 0x05,      0x52, 0xc3,     // syscall; push %rdx; ret
  };
  call = (call_fn)executable(five, sizeof five);
  call_vfork = (long (*)(void))executable(fork_here, sizeof fork_here);
}

static void handler(int ignored) { handled++; }

static void* sleeps(void* unused) {
  CHECK_EQ(call(SYS_gettid, 0, 0, 0, 0), gettid());
  struct timespec t = to_timespec(100 * MS);
  CHECK_EQ(call(SYS_nanosleep, (long)&t, 0, 0, 0), 0);
  while (__atomic_load_n(&word, __ATOMIC_SEQ_CST) == 0)
    call(SYS_futex, (long)&word, FUTEX_WAIT_PRIVATE, 0, 0);
  return unused;
}

static void* reads(void* unused) {
  char byte;
  CHECK_EQ(call(SYS_read, fds[0], (long)&byte, 1, 0), -EINTR);
  return unused;
}

int main(void) {
  struct sigaction action = {.sa_handler = handler};
  CHECK_OK(sigaction(SIGUSR1, &action, NULL));
  CHECK_OK(pipe(fds));
  generate();
  pthread_t threads[20], reader = spawn(reads, NULL);
  int64_t start = now_ns(CLOCK_MONOTONIC);
  for (int i = 0; i < 20; i++) threads[i] = spawn(sleeps, NULL);
  sleep_ms(150);
  __atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
  CHECK(call(SYS_futex, (long)&word, FUTEX_WAKE_PRIVATE, 1000, 0) >= 0);
  CHECK_OK(pthread_kill(reader, SIGUSR1));
  join(reader);
  for (int i = 0; i < 20; i++) join(threads[i]);
  CHECK(now_ns(CLOCK_MONOTONIC) - start < 10 * SECOND);
  CHECK_EQ(handled, 1);
  int status;
  for (int i = 0; i < 4; i++) {
    long child = i % 2 ? call_vfork() : call(SYS_fork, 0, 0, 0, 0);
    if (child == 0) _exit(i);
    CHECK(child > 0);
    CHECK_EQ(waitpid((pid_t)child, &status, 0), child);
    CHECK_EQ(WEXITSTATUS(status), i);
  }
  CHECK_EQ(call(SYS_close, 12345, 0, 0, 0), -EBADF);
  printf("%d slept\n", 20);
}
