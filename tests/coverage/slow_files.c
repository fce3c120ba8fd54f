// Coverage: calls on files whose file system does not answer.
#include <dirent.h>
#include <dlfcn.h>
#include <ftw.h>
#include <glob.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <utime.h>

#include "tests/coverage/cover.h"
#include "tests/coverage/slow_fs.h"

#define FILE_ "slow/file"
#define LINK_ "slow/link"
#define NEW "slow/new"
#define DIRECTORY "slow/directory"

static struct stat st;
static struct statx stx;
static struct statfs sf;
static struct statvfs sv;
static char path[64];
static DIR* listing;
static struct dirent** entries;
static glob_t globbed;
static FILE* stream;
static char* mapped;
static int mount_id;
static struct file_handle handle;
static struct epoll_event event = {EPOLLIN, {NULL}};

static void slow(void) {
  mount_it();
  hold();
}

static void open_it(int flags) {
  mount_it();
  CHECK((fd[0] = open(FILE_, flags)) >= 0);
}

static void slow_open(int flags) {
  open_it(flags);
  hold();
}

static void slow_open_two(void) {
  open_it(O_RDONLY);
  CHECK((fd[1] = open(NEW, O_WRONLY | O_CREAT, 0600)) >= 0);
  hold();
}

static void slow_directory(void) {
  mount_it();
  CHECK((fd[0] = open(DIRECTORY, O_RDONLY | O_DIRECTORY)) >= 0);
  hold();
}

static void slow_listing(void) {
  mount_it();
  CHECK((listing = opendir(DIRECTORY)));
  hold();
}

static void slow_stream(const char* mode) {
  mount_it();
  CHECK((stream = fopen(FILE_, mode)));
  hold();
}

static void map_it(void) {
  open_it(O_RDWR | O_NOATIME);
  mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd[0], 0);
  CHECK(mapped != MAP_FAILED);
}

static void slow_map(void) {
  map_it();
  hold();
}

static void slow_dirty_map(void) {
  map_it();
  mapped[0] = 'x';
  hold();
}

static void slow_closed_map(void) {
  map_it();
  CHECK_OK(close(fd[0]));
  hold();
}

// The device itself, of which the first request has been served.
static void open_device(void) {
  CHECK((fd[0] = slow_mount_unserved()) >= 0);
  CHECK(slow_serve_one(fd[0]) > 0);
}

static void ask_device(void) {
  CHECK((child = fork()) >= 0);
  if (child) return;
  close(fd[0]);
  _exit(access("slow/nothing", F_OK) == 0);
}

static void make_sink(void) {
  int other[2];
  CHECK_OK(pipe(other));
  peer = other[1];
}

static struct pollfd* watched(void) {
  static struct pollfd one;
  one = (struct pollfd){fd[0], POLLIN, 0};
  return &one;
}

static fd_set* read_set(void) {
  static fd_set set;
  FD_ZERO(&set);
  FD_SET(fd[0], &set);
  return &set;
}

static struct flock* whole_file(void) {
  static struct flock all;
  all = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
  return &all;
}

static struct sockaddr* unix_name(const char* name) {
  static struct sockaddr_un address = {.sun_family = AF_UNIX};
  strcpy(address.sun_path, name);
  return (struct sockaddr*)&address;
}

static int each(const char* name, const struct stat* s, int kind) { return 0; }
static int each_more(const char* name, const struct stat* s, int kind, struct FTW* f) { return 0; }

static long run_slow(void) {
  int end = 0;
  pid_t runs = fork();
  if (runs == 0) {
    execl(FILE_, "file", (char*)NULL);
    _exit(errno == ENOEXEC ? 3 : 4);
  }
  return waitpid(runs, &end, 0) == runs ? end : -1;
}

static long spawn_slow(void) {
  char* argv[] = {(char*)"file", NULL};
  return posix_spawn(&child, FILE_, NULL, NULL, argv, environ);
}

static void write_to_disk(void) {
  CHECK((fd[0] = open("on-disk", O_CREAT | O_TRUNC | O_RDWR, 0600)) >= 0);
  for (int i = 0; i < 8; i++) write_all(fd[0], data, sizeof data);
}

static void map_on_disk(void) {
  write_to_disk();
  mapped = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd[0], 0);
  CHECK(mapped != MAP_FAILED);
  memset(mapped, 'x', 1 << 20);
}

#define BEFORE_CASES need_fuse()
#define GOES_ON "*"
#define NOT_CANCELLED "dlopen_slow", "mkdtemp"  // asks for random bytes, or not
#define FAMILY "tests/coverage/slow_files.inc"
#include "tests/coverage/cover_main.h"
