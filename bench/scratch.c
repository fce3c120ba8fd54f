#define _GNU_SOURCE
#include "scratch.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char directory[256];
static pid_t owner;

static int remove_one(const char* path, const struct stat* s, int type, struct FTW* ftw) {
  (void)s, (void)type, (void)ftw;
  return remove(path);
}

static void remove_directory(void) {
  if (getpid() == owner) nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

// nftw is not async-signal-safe; a process that is about to die can take the
// risk, and the alternative is to leave thousands of files behind.
static void on_signal(int sig) {
  remove_directory();
  signal(sig, SIG_DFL);
  raise(sig);
}

const char* scratch_directory(void) {
  if (directory[0]) return directory;
  const char* parent = getenv("TMPDIR");
  snprintf(directory, sizeof directory, "%s/bench-XXXXXX", parent ? parent : "/tmp");
  if (!mkdtemp(directory)) {
    perror(directory);
    exit(1);
  }
  owner = getpid();
  atexit(remove_directory);
  signal(SIGTERM, on_signal);
  signal(SIGINT, on_signal);
  return directory;
}
