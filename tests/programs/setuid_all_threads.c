// A change of users and groups holds for every thread, whatever it is doing, for every kernel
// thread of the process and for those made later; one that swaps is done once, one that fails
// changes nothing.
#include "check.h"
#include "held_child.h"

#include <dirent.h>
#include <grp.h>
#include <sys/wait.h>

enum { THREADS = 8, OTHER = 65534, SOME = 12345 };
static pthread_mutex_t parked = PTHREAD_MUTEX_INITIALIZER;
static volatile int stop;

static void all_are(uid_t real, uid_t effective, uid_t saved) {
  uid_t r, e, s;
  CHECK_OK(getresuid(&r, &e, &s));
  CHECK_EQ(r, real);
  CHECK_EQ(e, effective);
  CHECK_EQ(s, saved);
}

static void* busy(void* unused) {
  while (!stop) getuid();
  return unused;
}
static void* parks(void* unused) {
  CHECK_OK(pthread_mutex_lock(&parked));
  all_are(OTHER, OTHER, OTHER);
  CHECK_OK(pthread_mutex_unlock(&parked));
  return unused;
}
static void* blocks(void* unused) {
  wait_for_held_child();
  all_are(OTHER, OTHER, OTHER);
  return unused;
}
static void* later(void* unused) {
  all_are(OTHER, OTHER, OTHER);
  CHECK_ERRNO(setuid(0), EPERM);
  return unused;
}

// What the kernel says of each of its threads; asked by another process.
static void check_kernel_threads(const char* wanted_line) {
  char path[300];
  snprintf(path, sizeof path, "/proc/%d/task", getppid());
  DIR* dir = opendir(path);
  CHECK(dir);
  for (struct dirent* e; (e = readdir(dir));) {
    if (e->d_name[0] == '.') continue;
    char line[256];
    snprintf(path, sizeof path, "/proc/%d/task/%s/status", getppid(), e->d_name);
    FILE* f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
      if (!strncmp(line, wanted_line, 4) && strcmp(line, wanted_line))
        CHECK_FAIL("thread %s: %s", e->d_name, line);
    if (f) fclose(f);
  }
  closedir(dir);
}
static void kernel_threads_have(const char* wanted_line) {
  pid_t child = fork();
  if (child == 0) {
    check_kernel_threads(wanted_line);
    _exit(0);
  }
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
}

static void drops(void) {
  CHECK_OK(pipe(hold));
  CHECK_OK(pthread_mutex_lock(&parked));
  pthread_t t[THREADS];
  for (int i = 0; i < THREADS; i++) t[i] = spawn(i < 2 ? busy : i < 6 ? parks : blocks, NULL);
  sleep_ms(50);
  gid_t groups[] = {7, 8, 9};
  CHECK_OK(setgroups(3, groups));
  kernel_threads_have("Groups:\t7 8 9 \n");
  CHECK_OK(setresuid(SOME, 0, 0));
  for (int i = 0; i < 2; i++) {
    CHECK_OK(setreuid(0, SOME));
    all_are(0, SOME, SOME);
    CHECK_OK(setreuid(SOME, 0));
  }
  all_are(SOME, 0, 0);
  kernel_threads_have("Uid:\t12345\t0\t0\t0\n");
  CHECK_OK(setresgid(OTHER, OTHER, OTHER));
  CHECK_OK(setresuid(OTHER, OTHER, OTHER));
  kernel_threads_have("Gid:\t65534\t65534\t65534\t65534\n");
  kernel_threads_have("Uid:\t65534\t65534\t65534\t65534\n");
  CHECK_ERRNO(setuid(0), EPERM);
  join(spawn(later, NULL));
  CHECK_OK(pthread_mutex_unlock(&parked));
  stop = 1;
  close(hold[1]);
  for (int i = 0; i < THREADS; i++) join(t[i]);
  join(spawn(later, NULL));
  kernel_threads_have("Uid:\t65534\t65534\t65534\t65534\n");
}

int main(void) {
  if (geteuid() != 0) return puts("done"), 0;  // No one else to become.
  pid_t child = fork();
  if (child == 0) {
    drops();
    _exit(0);
  }
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
  puts("done");
}
