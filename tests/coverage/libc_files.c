// Coverage: files that libc opens by itself, on a file system that does not answer.
#include <fstab.h>
#include <grp.h>
#include <iconv.h>
#include <locale.h>
#include <netdb.h>
#include <nl_types.h>
#include <pwd.h>
#include <rpc/netdb.h>
#include <shadow.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>
#include <utmpx.h>

#include "tests/coverage/cover.h"
#include "tests/coverage/slow_fs.h"

static struct passwd user, *found_user;
static struct group group, *found_group;
static struct spwd shadow, *found_shadow;
static struct servent service, *found_service;
static struct utmp record;
static FILE* stream;
static char room[4096];
static gid_t groups[8];
static int count = 8;

static void slow_with(const char* text) {
  slow_text = text;
  mount_it();
}

static void slow_stream(const char* text) {
  slow_with(text);
  CHECK((stream = fopen("slow/file", "r")));
  hold();
}

// `path` is the slow file from here on, to this test only.
static void replace(const char* path, const char* text) {
  while (umount2(path, MNT_DETACH) == 0) continue;
  slow_with(text);
  CHECK_OK(mount("slow/file", path, NULL, MS_BIND, NULL));
  hold();
}

// Its name by itself, after `prefix`.
static const char* slow_name(const char* prefix) {
  static char name[256];
  char* here = get_current_dir_name();
  CHECK(snprintf(name, sizeof name, "%s%s/slow/file", prefix, here) < (int)sizeof name);
  free(here);
  return name;
}

static void name_slow(const char* variable, const char* prefix, const char* text) {
  CHECK_OK(setenv(variable, slow_name(prefix), 1));
  slow_with(text);
  hold();
}

static void link_slow(const char* variable, const char* link) {
  CHECK_OK(setenv(variable, ".", 1));
  if (mkdir("green", 0700) != 0) CHECK_EQ(errno, EEXIST);
  unlink(link);
  CHECK_OK(symlink(slow_name(""), link));
  slow_with("hello\n");
  hold();
}

static void slow_utmp(void) {
  CHECK_OK(utmpname("slow/file"));
  slow_with("hello\n");
  hold();
}

static struct tm* any_time(void) {
  static struct tm t = {.tm_mday = 1, .tm_year = 100};
  return &t;
}

static time_t* zero(void) {
  static time_t t;
  return &t;
}

static void uncover_devices(void) { umount2("/dev", MNT_DETACH); }

// /dev/log with a log daemon that has as much to do as its socket holds. syslog(3).
static void make_full_log(void) {
  while (umount2("/dev", MNT_DETACH) == 0) continue;
  CHECK_OK(mount("none", "/dev", "tmpfs", 0, NULL));
  at_end = uncover_devices;
  struct sockaddr_un name = {AF_UNIX, "/dev/log"};
  CHECK((fd[0] = socket(AF_UNIX, SOCK_DGRAM, 0)) >= 0);
  CHECK_OK(bind(fd[0], (struct sockaddr*)&name, sizeof name));
  int sent;
  do {
    CHECK((peer = socket(AF_UNIX, SOCK_DGRAM, 0)) >= 0);
    CHECK_OK(connect(peer, (struct sockaddr*)&name, sizeof name));
    for (sent = 0; send(peer, "x", 1, MSG_DONTWAIT) == 1; sent++) continue;
  } while (sent);
}

static void vsyslog_of(const char* format, ...) {
  va_list list;
  va_start(list, format);
  vsyslog(LOG_INFO, format, list);
  va_end(list);
}

#define PASSWD_ "green:x:7:8:hello:/:/bin/sh\n"
#define GROUP_ "green:x:8:one,two\n"
#define SHADOW_ "green:x:1::::::\n"
#define BEFORE_CASES need_fuse()
#define GOES_ON "*"
#define SERVICE "green 7/tcp\n"
#define PROTOCOL "green 7 GREEN\n"
#define NETWORK "green 10.0.0.0\n"
#define HOST "10.0.0.1 green\n"
#define FAMILY "tests/coverage/libc_files.inc"
#include "tests/coverage/cover_main.h"
