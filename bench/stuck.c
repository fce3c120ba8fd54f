// One thread sits in the kernel where no scheduler in user space can see it;
// how long does another thread, which ticks every 100 us, have to stand still?
//
//   stuck flock [ROUNDS]      the lock is held by another process for 20 ms
//   stuck disk [ROUNDS]       pread of a file that is not in the page cache
//   stuck mapped [ROUNDS]     the same file, by page faults
//   stuck fault [ROUNDS]      a page that another process brings after 20 ms (userfaultfd)

#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "scratch.h"

enum { kMost = 1000, kSize = 16 << 20, kPage = 4096 };

static char path[320];
static atomic_bool done;
static int to_holder[2], from_holder[2];

static void die(const char* what) {
  perror(what);
  exit(1);
}

// In a process of its own: on each byte, takes the lock, says so, keeps it.
static void hold_locks(void) {
  char byte;
  close(to_holder[1]);
  while (read(to_holder[0], &byte, 1) == 1) {
    int fd = open(path, O_RDWR);
    if (fd < 0 || flock(fd, LOCK_EX) != 0 || write(from_holder[1], &byte, 1) != 1) _exit(1);
    usleep(20000);
    close(fd);
  }
  _exit(0);
}

static void* block_in_flock(void* unused) {
  int fd = open(path, O_RDWR);
  if (fd < 0 || flock(fd, LOCK_EX) != 0) die("flock");
  close(fd);
  atomic_store(&done, 1);
  return unused;
}

static void* read_from_disk(void* unused) {
  static char buffer[kSize / 16];
  int fd = open(path, O_RDONLY);
  if (fd < 0) die(path);
  for (int i = 0; i < 16; i++)
    if (pread(fd, buffer, sizeof buffer, (long)i * (long)sizeof buffer) <= 0) die("pread");
  close(fd);
  atomic_store(&done, 1);
  return unused;
}

static void* fault_in(void* unused) {
  volatile char sum = 0;
  int fd = open(path, O_RDONLY);
  char* bytes = mmap(NULL, kSize, PROT_READ, MAP_PRIVATE, fd, 0);
  if (bytes == MAP_FAILED) die("mmap");
  madvise(bytes, kSize, MADV_RANDOM);
  for (long i = 0; i < kSize / kPage / 8; i++) sum += bytes[i * 8 * kPage];
  munmap(bytes, kSize);
  close(fd);
  atomic_store(&done, 1);
  return unused;
}

static char* late_page;

// In a process of its own: each page that is missed comes after 20 ms.
static void bring_pages(int uffd) {
  static _Alignas(kPage) char page[kPage];
  struct uffd_msg message;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  close(to_holder[1]);  // whose end the other helper waits for
  while (read(uffd, &message, sizeof message) == sizeof message) {
    usleep(20000);
    struct uffdio_copy copy = {.dst = message.arg.pagefault.address & ~(unsigned long)(kPage - 1),
                               .src = (unsigned long)page,
                               .len = kPage};
    if (ioctl(uffd, UFFDIO_COPY, &copy) != 0) _exit(1);
  }
  _exit(1);
}

// Before the first thread: the helper is a fork.
static void set_up_fault(void) {
  int uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
  struct uffdio_api api = {.api = UFFD_API};
  late_page = mmap(NULL, kPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct uffdio_register range = {.range = {(unsigned long)late_page, kPage},
                                  .mode = UFFDIO_REGISTER_MODE_MISSING};
  if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) != 0 || ioctl(uffd, UFFDIO_REGISTER, &range) != 0)
    die("userfaultfd");
  if (fork() == 0) bring_pages(uffd);
}

static void* touch_late_page(void* unused) {
  if (*(volatile char*)late_page != 0) exit(1);
  atomic_store(&done, 1);
  return unused;
}

static void prepare_fault(void) {
  if (!late_page) set_up_fault();
  if (madvise(late_page, kPage, MADV_DONTNEED) != 0) die("madvise");
}

static void prepare_flock(void) {
  char byte = 'x';
  if (write(to_holder[1], &byte, 1) != 1 || read(from_holder[0], &byte, 1) != 1) die("holder");
}

static void prepare_cold_file(void) {
  int fd = open(path, O_RDWR);
  if (fd < 0 || fsync(fd) != 0 || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0) die(path);
  close(fd);
}

static const struct mode {
  const char* name;
  void (*prepare)(void);
  void* (*block)(void*);
} modes[] = {{"flock", prepare_flock, block_in_flock},
             {"disk", prepare_cold_file, read_from_disk},
             {"mapped", prepare_cold_file, fault_in},
             {"fault", prepare_fault, touch_late_page}};

static void create_file(void) {
  static char block[1 << 20];
  snprintf(path, sizeof path, "%s/file", scratch_directory());
  int fd = open(path, O_CREAT | O_RDWR, 0600);
  for (int i = 0; i < kSize >> 20; i++)
    if (write(fd, block, sizeof block) != sizeof block) die(path);
  close(fd);
}

// The longest time between two ticks while the other thread is blocked.
static double worst_gap(const struct mode* mode) {
  pthread_t thread;
  double worst = 0;
  mode->prepare();
  atomic_store(&done, 0);
  if (pthread_create(&thread, NULL, mode->block, NULL) != 0) die("pthread_create");
  double last = wall_seconds();
  do {
    usleep(100);
    double now = wall_seconds();
    if (now - last > worst) worst = now - last;
    last = now;
  } while (!atomic_load(&done));
  pthread_join(thread, NULL);
  return worst * 1e6;
}

static int ascending(const void* a, const void* b) {
  double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

int main(int argc, char** argv) {
  const struct mode* mode = NULL;
  static double gaps[kMost];
  for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
    if (argc > 1 && strcmp(argv[1], modes[i].name) == 0) mode = &modes[i];
  long rounds = positive_argument(argc, argv, 2, 50);
  if (!mode || rounds > kMost) {
    fprintf(stderr, "usage: stuck flock|disk|mapped|fault [ROUNDS]\n");
    return 2;
  }
  create_file();
  if (pipe(to_holder) != 0 || pipe(from_holder) != 0) die("pipe");
  pid_t holder = fork();
  if (holder == 0) hold_locks();
  for (long i = 0; i < rounds; i++) gaps[i] = worst_gap(mode);
  close(to_holder[1]);
  waitpid(holder, NULL, 0);
  qsort(gaps, (size_t)rounds, sizeof *gaps, ascending);
  printf("rounds=%ld gap_median_us=%.1f gap_p90_us=%.1f gap_p99_us=%.1f gap_max_us=%.1f\n", rounds,
         gaps[rounds / 2], gaps[rounds * 9 / 10], gaps[rounds * 99 / 100], gaps[rounds - 1]);
  return 0;
}
