// Coverage: children, and locks that other processes hold.
#include <shadow.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <wordexp.h>

#include "tests/coverage/cover.h"
#include "tests/programs/shared.h"

static int status;
static struct rusage usage;
static siginfo_t info;
static FILE* stream;

static void start_child(void) {
  CHECK((child = fork()) >= 0);
  if (child) return;
  alarm(60);
  for (;;) pause();
}

static void end_child(void) { CHECK_OK(kill(child, SIGKILL)); }

static void start_stopped(void) {
  start_child();
  CHECK_OK(kill(child, SIGSTOP));
  CHECK_EQ(waitpid(child, &status, WUNTRACED), child);
}

static void start_traced(void) {
  start_child();
  CHECK_OK(ptrace(PTRACE_SEIZE, child, 0, 0));
}

static void make_fifo(void) {
  unlink("fifo");  // of a case that was cancelled
  CHECK_OK(mkfifo("fifo", 0600));
}

static void feed_fifo(void) {
  int to = open("fifo", O_WRONLY);
  CHECK(to >= 0);
  hello(to);
  CHECK_OK(close(to));
  CHECK_OK(unlink("fifo"));
}

static long expand_words(const char* text) {
  wordexp_t words;
  int r = wordexp(text, &words, 0);
  if (r == 0) strcpy(data, words.we_wordv[0]);
  return r;
}

// The child opens the FIFO before it executes anything: until then its parent waits.
static long spawn_reading_fifo(void) {
  posix_spawn_file_actions_t actions;
  CHECK_OK(posix_spawn_file_actions_init(&actions));
  CHECK_OK(posix_spawn_file_actions_addopen(&actions, 0, "fifo", O_RDONLY, 0));
  char* argv[] = {(char*)"cat", NULL};
  int r = posix_spawnp(&child, "cat", &actions, NULL, argv, environ);
  waitpid(child, &status, 0);
  return r;
}

static long vfork_on_fifo(void) {
  pid_t pid = vfork();
  if (pid == 0) _exit(read(open("fifo", O_RDONLY), data, 1) != 1);
  return ok(waitpid(pid, &status, 0) == pid && status == 0);
}

static struct flock* whole_file(short type) {
  static struct flock all;
  all = (struct flock){.l_type = type, .l_whence = SEEK_SET};
  return &all;
}

static void open_twice(void) {
  CHECK((fd[0] = open("locked", O_CREAT | O_RDWR, 0600)) >= 0);
  CHECK((fd[1] = open("locked", O_RDWR)) >= 0);
}

static void make_flocked(void) {
  open_twice();
  CHECK_OK(flock(fd[1], LOCK_EX));
}

static void make_ofd_locked(void) {
  open_twice();
  CHECK_OK(fcntl(fd[1], F_OFD_SETLK, whole_file(F_WRLCK)));
}

// `body` in a child that then stays.
#define IN_CHILD(body)                    \
  do {                                    \
    int ready[2];                         \
    char line[6];                         \
    CHECK_OK(pipe(ready));                \
    CHECK((child = fork()) >= 0);         \
    if (child == 0) {                     \
      alarm(60);                          \
      body;                               \
      hello(ready[1]);                    \
      for (;;) pause();                   \
    }                                     \
    CHECK_EQ(read(ready[0], line, 6), 6); \
  } while (0)

static void make_locked(void) {
  open_twice();
  IN_CHILD(CHECK_OK(fcntl(fd[1], F_SETLK, whole_file(F_WRLCK))));
}

// Without the privilege to lock the password file: what it is made of.
static int may_lock_passwords;
static void make_lckpwdf(void) {
  may_lock_passwords = lckpwdf() == 0;
  if (may_lock_passwords) {
    CHECK_OK(ulckpwdf());
    IN_CHILD(CHECK_OK(lckpwdf()));
  } else {
    make_locked();
  }
}

static long lckpwdf_again(void) {
  long r = may_lock_passwords ? lckpwdf() : fcntl(fd[0], F_SETLKW, whole_file(F_WRLCK));
  if (may_lock_passwords) ulckpwdf();
  return r;
}

static pthread_mutex_t* shared;

static void start_locking_child(void) {
  shared = map_shared(-1, sizeof *shared);
  init_shared_mutex(shared, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_NONE);
  IN_CHILD(CHECK_OK(pthread_mutex_lock(shared)));
}

static long lock_shared_mutex(void) { return pthread_mutex_lock(shared); }

#define GOES_ON "flock", "flock_shared", "mutex_of_child", "pclose", "posix_spawn"
#define NOT_CANCELLED "vfork", "posix_spawn"
#define FAMILY "tests/coverage/processes.inc"
#include "tests/coverage/cover_main.h"
